#pragma once

#include <string>
#include <vector>

/// Environment variables that change the bits of libraries. They come from one host's profile or one image's
/// ENV, and no configuration shows them. The source has two tables; each variable is in one of them.
namespace polyhead {

/// Sets the variables that ask for less than fp32, or for sums in no fixed order, to the one value that a job
/// allows. Must be the first line of main(): libraries read them at first use, and setting one beside other
/// threads is a race.
void settle_environment();

/// Libraries that compute and read variables.
enum class Computer {
  torch_cpu,  ///< LibTorch with oneDNN and MKL
  torch_gpu,  ///< LibTorch with cuDNN and cuBLAS
  libm        ///< the C library's exp()
};

/// Variables that are set and let the library choose other kernels: "ONEDNN_MAX_CPU_ISA=AVX2". Sorted, and
/// fit for a message. They belong to the numerics fingerprint.
std::vector<std::string> variables_of(Computer computer);

}  // namespace polyhead
