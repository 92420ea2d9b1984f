#pragma once

#include <cstddef>

#include "polyhead/base/page_buffer.hpp"

namespace polyhead::kernels {

struct ImageDims {
  int channels = 0;
  int height = 0;  ///< pixels
  int width = 0;
  friend bool operator==(const ImageDims&, const ImageDims&) = default;
};

/// Images in the kernels' layout: [image][block of channels][row][column][channel of the block], in blocks of
/// as many channels as a vector holds. Each plane has a border of one pixel of zeros, which is never written;
/// channels that fill up the last block are zero as well.
class Activations {
 public:
  /// `block`: channels in a block. Throws std::bad_alloc.
  Activations(int images, const ImageDims& dims, int block)
      : images_(images),
        dims_(dims),
        block_(block),
        buffer_(static_cast<std::size_t>(images) * image_size(dims, block)) {}
  /// Number of floats in an image.
  static std::size_t image_size(const ImageDims& dims, int block) {
    const int channels = (dims.channels + block - 1) / block * block;
    return static_cast<std::size_t>(channels) *
           static_cast<std::size_t>((dims.height + 2) * (dims.width + 2));
  }

  [[nodiscard]] const ImageDims& dims() const { return dims_; }
  [[nodiscard]] int images() const { return images_; }
  [[nodiscard]] int block() const { return block_; }
  [[nodiscard]] int blocks() const { return (dims_.channels + block_ - 1) / block_; }

  /// Floats from a row to the next, from a block of channels to the next, and from an image to the next.
  [[nodiscard]] std::ptrdiff_t row_stride() const { return std::ptrdiff_t{dims_.width + 2} * block_; }
  [[nodiscard]] std::ptrdiff_t block_stride() const { return (dims_.height + 2) * row_stride(); }
  [[nodiscard]] std::ptrdiff_t image_stride() const { return blocks() * block_stride(); }

  /// Floats from `data()` to the first channel of a pixel; rows and columns start at -1 (the border).
  [[nodiscard]] std::ptrdiff_t offset(int image, int y, int x) const {
    return image * image_stride() + (y + 1) * row_stride() + std::ptrdiff_t{x + 1} * block_;
  }
  [[nodiscard]] float* data() { return buffer_.data(); }
  [[nodiscard]] const float* data() const { return buffer_.data(); }
  /// Address of a pixel's first channel.
  [[nodiscard]] float* at(int block, int image, int y, int x) {
    return data() + block * block_stride() + offset(image, y, x);
  }
  [[nodiscard]] const float* at(int block, int image, int y, int x) const {
    return data() + block * block_stride() + offset(image, y, x);
  }

 private:
  int images_;
  ImageDims dims_;
  int block_;
  PageBuffer buffer_;
};

}  // namespace polyhead::kernels
