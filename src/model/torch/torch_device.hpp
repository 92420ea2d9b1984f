#pragma once

#include <string>

#include <c10/core/Device.h>

#include "polyhead/model/model.hpp"

/// All that speaks to LibTorch's CUDA half, in a file of its own: tests let the linker take another one,
/// whose GPUs compute on the host.
namespace polyhead::model {

/// Where tensors live. Loads the CUDA half for a GPU, and makes it the thread's. Throws as
/// `device::load_torch_cuda` and `device::select` do.
c10::Device open_device(const DeviceAssignment& assignment);

/// Gives the GPU memory that LibTorch keeps for reuse back to the driver.
void release_cached_memory();

/// A GPU's name, its size as kernels see it, and the versions of what computes on it.
std::string cuda_engine(int index);

/// As files of the former form hold it, with the driver's version.
std::string former_cuda_engine(int index);

}  // namespace polyhead::model
