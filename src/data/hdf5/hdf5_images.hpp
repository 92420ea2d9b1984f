#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "polyhead/base/digest.hpp"
#include "polyhead/data/memory.hpp"
#include "polyhead/h5/h5.hpp"
#include "polyhead/image/preprocess.hpp"

namespace polyhead::data {

/// The images of an HDF5 file: uint8 [N, H, W, C] or [N, H, W], or float32 or float64 [N, C, H, W], with C 1
/// or 3.
class Hdf5Images {
 public:
  /// Throws Error(bad_data) when type or shape is none of these, or when there is no image.
  explicit Hdf5Images(h5::Dataset dataset);

  [[nodiscard]] std::int64_t size() const { return dataset_.shape()[0]; }
  [[nodiscard]] ImageShape shape() const { return shape_; }
  /// Size of the images after preprocessing. Throws Error(bad_data).
  [[nodiscard]] ImageShape output(const config::Preprocess& preprocess) const;
  /// "uint8 32x32x3": the dimensions in the file's order.
  [[nodiscard]] std::string describe() const;
  [[nodiscard]] const h5::Dataset& dataset() const { return dataset_; }
  /// "data.h5:/images", for messages.
  [[nodiscard]] const std::string& where() const { return dataset_.where(); }

  /// Number of images to read at once: few, so that threads can share a micro-batch, but as many as the file
  /// packs together.
  [[nodiscard]] std::int64_t slice() const { return slice_; }
  /// Memory that a slice takes.
  [[nodiscard]] ArrayPiece piece() const;
  /// Whether the images are 8-bit.
  [[nodiscard]] bool are_bytes() const { return !is_float_; }

  /// Reads images [first, first + count) into a buffer. Throws Error(io_error). This, `piece` and
  /// `bytes` call HDF5; `preprocess` does not.
  void load(std::int64_t first, std::int64_t count);
  /// Preprocesses the loaded images one after the other. `Value` is float, or std::uint8_t if `are_bytes`.
  template <class Value>
  void preprocess(image::Preprocessor& preprocessor, Value* pixels) const;
  /// Digests of the images that `digested_samples` names.
  std::vector<Digest> digests();
  /// Bytes of one image in memory before preprocessing; valid until the next call.
  std::span<const std::byte> bytes(std::int64_t index);

 private:
  [[nodiscard]] image::ByteImage view(const std::uint8_t* pixels) const;
  [[nodiscard]] image::FloatImage view(const float* pixels) const;
  template <class Pixel>
  void load_into(std::vector<Pixel>& buffer, std::int64_t first, std::int64_t count);

  h5::Dataset dataset_;
  bool is_float_ = false;
  ImageShape shape_;
  int channels_ = 1;
  std::int64_t values_ = 0;  ///< values per image
  std::int64_t slice_ = 1;
  std::int64_t loaded_ = 0;          ///< images
  std::vector<std::uint8_t> bytes_;  ///< last images read, when they are 8-bit
  std::vector<float> floats_;        ///< last images read, when they are float
};

}  // namespace polyhead::data
