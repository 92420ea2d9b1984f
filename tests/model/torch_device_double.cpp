/// Pretended GPUs (tests/comm/nccl_double) compute on the host: what is planned, placed and exchanged as if
/// for a GPU gives the bits of a CPU. Takes the place of src/model/torch/torch_device.cpp.

#include "model/torch/torch_device.hpp"
#include "polyhead/device/cuda.hpp"

namespace polyhead::model {

c10::Device open_device(const DeviceAssignment& assignment) {
  if (assignment.cuda) device::select(assignment.device);
  return c10::Device(c10::DeviceType::CPU);
}

void release_cached_memory() {}

std::string cuda_engine(int index) {
  return device::query(index).name;
}

std::string former_cuda_engine(int index) {
  return cuda_engine(index);
}

}  // namespace polyhead::model
