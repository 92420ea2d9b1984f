#pragma once

#include <cstdint>
#include <cstdlib>

#include "memory_file.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/checkpoint/checkpoint.hpp"

namespace polyhead::fuzz {

/// Any bytes give tensors whose values fill their shapes, or an Error(bad_data).
inline void check_checkpoint(const std::uint8_t* data, std::size_t size) {
  const MemoryFile file(data, size);
  try {
    for (const checkpoint::CheckpointTensor& tensor : checkpoint::read_checkpoint(file.path())) {
      std::int64_t elements = 1;
      for (const std::int64_t dimension : tensor.shape) elements *= dimension;
      if (tensor.values.size() != static_cast<std::size_t>(elements)) std::abort();
      if (!tensor.problem.empty() && elements != 0) std::abort();
    }
  } catch (const Error& error) {
    if (error.code() != ExitCode::bad_data) std::abort();
  }
}

}  // namespace polyhead::fuzz
