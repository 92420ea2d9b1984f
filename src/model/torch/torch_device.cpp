#include "torch_device.hpp"

#include <ATen/DeviceAccelerator.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include "polyhead/device/cuda.hpp"

namespace polyhead::model {
namespace {

/// Version of the cuBLAS that LibTorch has loaded, which LD_LIBRARY_PATH may have chosen. Not linked, since
/// there may be none.
std::string cublas_version() {
  auto* const version = reinterpret_cast<std::size_t (*)()>(::dlsym(RTLD_DEFAULT, "cublasLtGetVersion"));
  return version == nullptr ? "unknown" : fmt::format("{}", version());
}

}  // namespace

c10::Device open_device(const DeviceAssignment& assignment) {
  if (!assignment.cuda) return c10::Device(c10::DeviceType::CPU);
  device::load_torch_cuda();
  device::select(assignment.device);
  return {c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(assignment.device)};
}

void release_cached_memory() {
  at::accelerator::emptyCache();
}

std::string cuda_engine(int index) {
  device::load_torch_cuda();
  const device::DeviceInfo info = device::query(index);
  return fmt::format("{}; compute capability {}; {} multiprocessors; cuDNN {}; cuBLAS {}", info.name,
                     info.compute_capability, info.multiprocessors, at::detail::getCUDAHooks().versionCuDNN(),
                     cublas_version());
}

std::string former_cuda_engine(int index) {
  device::load_torch_cuda();
  const device::DeviceInfo info = device::query(index);
  return fmt::format("{}; compute capability {}; CUDA {}; cuDNN {}", info.name, info.compute_capability,
                     device::driver_version(), at::detail::getCUDAHooks().versionCuDNN());
}

}  // namespace polyhead::model
