#include "torch_device.hpp"

#include <ATen/DeviceAccelerator.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <fmt/format.h>

#include "polyhead/device/cuda.hpp"

namespace polyhead::model {

c10::Device open_device(const Placement& placement) {
  if (!placement.cuda) return c10::Device(c10::DeviceType::CPU);
  device::load_torch_cuda();
  device::select(placement.device);
  return {c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(placement.device)};
}

void release_cached_memory() {
  at::accelerator::emptyCache();
}

std::string cuda_engine(int index) {
  device::load_torch_cuda();
  const device::DeviceInfo info = device::query(index);
  return fmt::format("{}; compute capability {}; CUDA {}; cuDNN {}", info.name, info.compute_capability,
                     device::driver_version(), at::detail::getCUDAHooks().versionCuDNN());
}

}  // namespace polyhead::model
