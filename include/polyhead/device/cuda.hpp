#pragma once

#include <cstdint>
#include <string>

/// NVIDIA GPUs, through polyhead's own calls of the CUDA runtime. A build without CUDA has a twin that
/// reports no GPU.
namespace polyhead::device {

struct DeviceInfo {
  std::string name;                ///< "NVIDIA A100-SXM4-80GB"
  std::string uuid;                ///< "GPU-8-4-4-4-12", as nvidia-smi prints it
  std::string compute_capability;  ///< "8.0"
  std::uint64_t total_memory = 0;  ///< bytes
  int multiprocessors = 0;         ///< multiprocessors that this process may use: fewer with MIG
  int runtime = 0;                 ///< CUDA version that LibTorch was built for: 13020 for 13.2
};

/// Number of GPUs that this process may use. 0 without a GPU, a driver that fits, or CUDA in the build; never
/// throws for these.
int device_count();

/// Reason why `device_count()` is 0: "no NVIDIA driver is installed", "polyhead was built without CUDA", "no
/// GPU is visible to this process: CUDA_VISIBLE_DEVICES is \"\"". Empty otherwise.
std::string why_no_device();

/// Describes a GPU. Opens no context on it: that takes memory there, and may be another process's right
/// alone. Throws Error(config) when `index` is not less than `device_count()`, Error(unavailable) when a call
/// fails.
DeviceInfo query(int index);

/// Reason why LibTorch has no kernels for this GPU: its compute capability is too low for CUDA 13. Empty
/// where it has, or where only the first kernel can tell: wheels of CUDA 12 differ.
std::string why_unsupported(const DeviceInfo& gpu);

/// CUDA versions of the installed driver and the runtime: "driver 13.2, runtime 13.2".
std::string driver_version();

/// Makes the GPU the calling thread's current one. Throws as `query` does.
void select(int index);

/// Loads LibTorch's CUDA half, once; without a GPU the 0.5 GB and seconds would be wasted. Must be called
/// before LibTorch is asked for anything on a GPU, since it looks for its CUDA half only once. Throws
/// Error(config) when there is no GPU, Error(unavailable) when the library cannot be loaded.
void load_torch_cuda();

}  // namespace polyhead::device
