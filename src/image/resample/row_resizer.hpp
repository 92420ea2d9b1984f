#pragma once

#include <cstdint>
#include <vector>

#include "byte_kernels.hpp"
#include "polyhead/image/resize.hpp"

namespace polyhead::image {

/// Most bytes that a RowResizer takes for an image.
std::uint64_t resizing_memory(const Geometry& geometry);

/// Resizes and crops an 8-bit image whose rows come one after the other from a decoder. Each row is scaled
/// along its axis while it is in the cache. Gives the bits of Resizer<uint8_t>. Pixels have kPixelBytes
/// bytes.
class RowResizer {
 public:
  explicit RowResizer(config::Interpolation interpolation, const ByteKernels& kernels = best_kernels())
      : interpolation_(interpolation), kernels_(kernels) {}

  /// Begins an image.
  void set(const Geometry& geometry);
  /// Begins the last image again.
  void restart() { added_ = 0; }
  /// Rows and columns of the source that are needed.
  [[nodiscard]] Range rows() const;
  [[nodiscard]] Range columns() const;
  /// Adds the next needed row: its needed columns, with kRowSlack readable bytes behind.
  void add(const std::uint8_t* row);
  /// A row of the result, once all rows are there; valid until the next call.
  const std::uint8_t* output(int row);
  /// Frees the memory of an unusually large image. The next call must be `set`.
  void trim();

 private:
  [[nodiscard]] bool scales_width() const { return geometry_.source.width != geometry_.resized.width; }
  [[nodiscard]] bool scales_height() const { return geometry_.source.height != geometry_.resized.height; }

  config::Interpolation interpolation_;
  const ByteKernels& kernels_;
  Geometry geometry_;
  FixedFilter columns_;
  FixedFilter rows_;
  bool width_first_ = true;         ///< the width is scaled before the height
  std::vector<std::uint8_t> kept_;  ///< rows added so far; their width is scaled if that comes first
  std::size_t stride_ = 0;          ///< bytes per row in `kept_`
  std::size_t added_ = 0;
  std::vector<std::uint8_t> tall_;  ///< one row after the height was scaled
  std::vector<std::uint8_t> wide_;  ///< that row after the width was scaled, too
};

}  // namespace polyhead::image
