#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/files/byte_source.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/image/preprocess.hpp"

namespace polyhead::data {

/// Files of test images in the two data sets' folders.
inline constexpr std::string_view kCifar10Test = "test_batch.bin";
inline constexpr std::string_view kCifar100Test = "test.bin";

/// A binary file of CIFAR-10 or CIFAR-100: rows of one or two label bytes and a planar 32x32 RGB image
/// (https://www.cs.toronto.edu/~kriz/cifar.html).
class CifarFile {
 public:
  static constexpr ImageShape kShape{32, 32};

  /// `config.path`: the file, or the folder that holds the test images. Throws Error (no_input, bad_data).
  explicit CifarFile(const config::Data& config);

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool fine() const { return label_bytes_ == 2; }
  /// Names from the text file that comes with the data set; none if it is not there.
  [[nodiscard]] std::vector<std::string> class_names() const;
  /// Labels of rows [first, first + labels.size()), the fine ones in CIFAR-100. Throws Error(bad_data) that
  /// names the row.
  void read_labels(std::int64_t first, std::span<std::int32_t> labels);
  /// A row's image, valid until the next call. Throws Error(io_error).
  image::ByteImage image(std::int64_t row);
  /// Bytes of a row as in the file, valid until the next call.
  std::span<const std::byte> row(std::int64_t row);

 private:
  [[nodiscard]] std::int64_t row_bytes() const { return label_bytes_ + kShape.values(); }
  [[nodiscard]] std::int32_t classes() const { return fine() ? 100 : 10; }

  std::int64_t label_bytes_;
  std::string path_;
  FileSource source_;
  std::int64_t size_ = 0;
  std::vector<std::byte> row_;
  std::vector<std::uint8_t> pixels_;  ///< pixels of the last image, interleaved
};

}  // namespace polyhead::data
