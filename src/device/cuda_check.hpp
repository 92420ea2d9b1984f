#pragma once

#include <string_view>

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include "polyhead/base/error.hpp"

namespace polyhead::device {

/// One CUDA call, one check.
inline void check(cudaError_t result, std::string_view call) {
  if (result == cudaSuccess) return;
  cudaGetLastError();  // clears the error: the runtime would report it again at the next call
  throw Error(ExitCode::unavailable, fmt::format("{} failed: {}", call, cudaGetErrorString(result)));
}

}  // namespace polyhead::device
