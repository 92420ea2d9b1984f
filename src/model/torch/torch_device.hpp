#pragma once

#include <string>

#include <c10/core/Device.h>

#include "polyhead/model/model.hpp"

/// All calls of LibTorch's CUDA half, in one file: tests link a replacement whose GPUs compute on the host.
namespace polyhead::model {

/// Device that holds the tensors. For a GPU, loads the CUDA half and makes it the thread's device. Throws
/// what `device::load_torch_cuda` and `device::select` throw.
c10::Device open_device(const DeviceAssignment& assignment);

/// Returns the GPU memory that LibTorch keeps for reuse to the driver.
void release_cached_memory();

/// Name of a GPU, its size as kernels see it, and the versions of the libraries that compute on it.
std::string cuda_engine(int index);

/// `cuda_engine` in the former form of files, with the driver's version.
std::string former_cuda_engine(int index);

}  // namespace polyhead::model
