#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/checkpoint/element_type.hpp"

namespace polyhead::checkpoint {

/// One tensor of a safetensors header. Shape and size are checked against each other.
struct SafetensorsEntry {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< first byte, counted from the end of the header
  std::uint64_t end = 0;    ///< one past the last byte
};

/// The tensors in the order of their data. Throws Error(bad_data) that names `file` and the tensor.
std::vector<SafetensorsEntry> parse_safetensors_header(const std::filesystem::path& file,
                                                       std::string_view header);

}  // namespace polyhead::checkpoint
