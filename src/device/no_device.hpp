#pragma once

#include <string>

#include <cuda_runtime_api.h>

namespace polyhead::device {

/// Answers of the driver and the environment where no GPU can be used.
struct NoDevice {
  cudaError_t result = cudaSuccess;  ///< result of cudaGetDeviceCount
  int driver = 0;                    ///< CUDA version, as cudaDriverGetVersion gives it; 0: none is installed
  int runtime = 0;                   ///< CUDA version of the runtime
  const char* visible = nullptr;     ///< CUDA_VISIBLE_DEVICES, if it is set
};

/// Reason, and how to mend it.
std::string describe(const NoDevice& none);

/// 13020 -> "13.2"
std::string version_text(int version);

}  // namespace polyhead::device
