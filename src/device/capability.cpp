#include <charconv>

#include <fmt/format.h>

#include "polyhead/device/cuda.hpp"

namespace polyhead::device {
namespace {

constexpr int kCuda13 = 13000;
constexpr double kMinCapability = 7.5;  // CUDA 13 compiles for nothing older

/// Compute capability as a number; its minor part has one digit. 0 for a text that is no number.
double number_of(const std::string& capability) {
  double number = 0;
  std::from_chars(capability.data(), capability.data() + capability.size(), number);
  return number;
}

}  // namespace

std::string why_unsupported(const DeviceInfo& gpu) {
  if (gpu.runtime < kCuda13 || number_of(gpu.compute_capability) >= kMinCapability) return "";
  return fmt::format(
      "the GPU {} ({}) has compute capability {}, but LibTorch's kernels need {} or later: use another GPU, "
      "or parallel.device: cpu",
      gpu.name, gpu.uuid, gpu.compute_capability, kMinCapability);
}

}  // namespace polyhead::device
