#pragma once

#include <string>
#include <vector>

/// Variables of the environment by which libraries compute other bits. They come in by one host's profile or
/// one image's ENV, and no configuration shows them. Each of them is in one of two tables of the source.
namespace polyhead {

/// Gives the variables that ask for less than fp32, or for sums in no fixed order, the one value that a job
/// allows, whatever they had. For the first line of main(): libraries read them when they are first used, and
/// to set one beside other threads is a race.
void settle_environment();

/// What computes, and looks at variables.
enum class Computer {
  torch_cpu,  ///< LibTorch with oneDNN and MKL
  torch_gpu,  ///< LibTorch with cuDNN and cuBLAS
  libm        ///< the C library's exp()
};

/// The variables that are set and let it choose other kernels: "ONEDNN_MAX_CPU_ISA=AVX2", sorted, fit for a
/// message. They belong to the numerics fingerprint.
std::vector<std::string> variables_of(Computer computer);

}  // namespace polyhead
