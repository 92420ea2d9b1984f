#include "no_device.hpp"

#include <fmt/format.h>

namespace polyhead::device {
namespace {

std::string nothing_visible(const char* visible) {
  if (visible != nullptr)
    return fmt::format("no GPU is visible to this process: CUDA_VISIBLE_DEVICES is \"{}\"", visible);
  return "the NVIDIA driver shows no GPU to this process, and CUDA_VISIBLE_DEVICES is not set: was the "
         "container or job started with its GPUs?";
}

}  // namespace

std::string version_text(int version) {
  return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

/// Describes by the result. A driver older than the runtime is no reason by itself: within a major version it
/// works.
std::string describe(const NoDevice& none) {
  if (none.driver == 0) return "no NVIDIA driver is installed";
  switch (none.result) {
    case cudaErrorInsufficientDriver:
      return fmt::format(
          "the NVIDIA driver supports CUDA {}, but LibTorch was built for {}: update the driver",
          version_text(none.driver), version_text(none.runtime));
    case cudaSuccess:
    case cudaErrorNoDevice:
      return nothing_visible(none.visible);
    default:
      return fmt::format("cudaGetDeviceCount: {}", cudaGetErrorString(none.result));
  }
}

}  // namespace polyhead::device
