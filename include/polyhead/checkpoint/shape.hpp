#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace polyhead::checkpoint {

/// Number of elements; empty when a dimension is negative or the product exceeds 63 bits.
std::optional<std::int64_t> element_count(std::span<const std::int64_t> shape);

/// "[64, 3, 7, 7]"
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace polyhead::checkpoint
