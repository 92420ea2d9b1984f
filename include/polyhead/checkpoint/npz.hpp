#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "polyhead/checkpoint/zip.hpp"

namespace polyhead::checkpoint {

/// Array as NumPy saved it. Numbers and booleans are in `values`, texts in `texts`; the other one is empty.
struct NumpyArray {
  std::string dtype;                ///< as the file says it: "<f4", "|b1", "<U10"
  std::vector<std::int64_t> shape;  ///< empty for a single value
  std::vector<double> values;       ///< row-major; integers beyond 2^53 are rounded
  std::vector<std::string> texts;   ///< row-major, UTF-8; dtypes U and S

  [[nodiscard]] bool is_text() const { return dtype.find_first_of("US") != std::string::npos; }
};

/// Arrays of an .npz file (`numpy.savez`, `numpy.savez_compressed`), by name. Nothing in the file is
/// executed: arrays of Python objects, which NumPy pickles, are refused.
/// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
class NpzReader {
 public:
  /// Throws Error: no_input, or bad_data when the file is no .npz file or damaged.
  explicit NpzReader(const std::filesystem::path& path);

  /// Names of the arrays, sorted.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool has(const std::string& name) const;
  /// Throws Error(bad_data) when there is no such array (the text names those that exist), its bytes are
  /// damaged, or its dtype is neither numeric nor text. Memory is bounded by a small multiple of the file's
  /// size, or 64 MiB.
  [[nodiscard]] NumpyArray read(const std::string& name) const;

 private:
  std::filesystem::path path_;
  ZipReader zip_;
  std::vector<std::string> names_;
};

/// The one array of an .npy file (`numpy.save`). Throws as NpzReader does.
NumpyArray read_npy(const std::filesystem::path& path);

/// Array in the bytes of an .npy file or of an .npz file's entry. `file` and `name` are for messages; `name`
/// may be empty.
NumpyArray parse_npy(std::span<const std::byte> bytes, const std::filesystem::path& file,
                     const std::string& name);

}  // namespace polyhead::checkpoint
