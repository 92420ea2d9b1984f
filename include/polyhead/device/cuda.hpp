#pragma once

#include <cstdint>
#include <string>

/// NVIDIA GPUs, as far as polyhead talks to the CUDA runtime itself. Without CUDA in the build a twin answers
/// that there is none.
namespace polyhead::device {

struct DeviceInfo {
  std::string name;                ///< "NVIDIA A100-SXM4-80GB"
  std::string uuid;                ///< "GPU-8-4-4-4-12", as nvidia-smi prints it
  std::string compute_capability;  ///< "8.0"
  std::uint64_t total_memory = 0;  ///< bytes
  int multiprocessors = 0;         ///< that this process may use: fewer with MIG
  int runtime = 0;                 ///< CUDA version that LibTorch was built for: 13020 for 13.2
};

/// GPUs that this process may use. 0 without a GPU, a driver that fits, or CUDA in the build; never throws
/// for these.
int device_count();

/// Why `device_count()` is 0: "no NVIDIA driver is installed", "polyhead was built without CUDA", "no GPU is
/// visible to this process: CUDA_VISIBLE_DEVICES is \"\"". Empty otherwise.
std::string why_no_device();

/// Opens no context on the GPU: that takes memory there, and may be another process's right alone. Throws
/// Error(config) when `index` is not below `device_count()`, Error(unavailable) when a call fails.
DeviceInfo query(int index);

/// Why LibTorch has no kernels for this GPU: its compute capability is too low for CUDA 13. Empty where it
/// has, or where that shows at the first kernel only: wheels of CUDA 12 differ.
std::string why_unsupported(const DeviceInfo& gpu);

/// The installed driver's and the runtime's CUDA version: "driver 13.2, runtime 13.2".
std::string driver_version();

/// Makes the GPU the calling thread's current one. Throws as `query` does.
void select(int index);

/// Loads LibTorch's CUDA half, once; without a GPU nobody should pay for it (0.5 GB, seconds). To be called
/// before LibTorch is asked for anything on a GPU, since it looks for its CUDA half only once. Throws
/// Error(config) when there is no GPU, Error(unavailable) when the library cannot be loaded.
void load_torch_cuda();

}  // namespace polyhead::device
