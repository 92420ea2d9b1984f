#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace polyhead::checkpoint {

/// Header of an .npy file.
struct NpyHeader {
  std::string dtype;  ///< "<f4"
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  std::size_t data = 0;  ///< byte at which the elements start
};

/// Throws std::invalid_argument that describes the fault.
NpyHeader parse_npy_header(std::span<const std::byte> bytes);

}  // namespace polyhead::checkpoint
