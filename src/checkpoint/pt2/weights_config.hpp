#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "polyhead/checkpoint/element_type.hpp"

namespace polyhead::checkpoint::exported {

/// Where a tensor's elements lie, as the list of an archive's weights says.
struct StoredTensor {
  std::string record;  ///< of the zip file, without its folder
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  ///< elements
  std::int64_t offset = 0;            ///< elements
};

/// Reads model_weights_config.json or model_constants_config.json. Throws Error(bad_data); pickled tensors
/// are refused by their names.
std::map<std::string, StoredTensor> parse_weights_config(const std::filesystem::path& file,
                                                         std::span<const std::byte> json);

/// Elements of the tensor in row-major order, out of the bytes of its record. Throws Error(bad_data) when it
/// reaches outside them.
std::vector<std::byte> contiguous(const std::filesystem::path& file, const std::string& name,
                                  const StoredTensor& tensor, std::vector<std::byte> record);

}  // namespace polyhead::checkpoint::exported
