#pragma once

#include <array>
#include <vector>

#include "algorithm.hpp"
#include "polyhead/kernels/convolution.hpp"
#include "table.hpp"

namespace polyhead::kernels {

/// Tiles that are computed together, in the order: cut at the bottom, whole, cut at the right, cut at both.
/// So the tiles that need a product are always neighbours.
struct TileBlock {
  std::vector<Tile> tiles;
  std::array<int, 5> first{};  ///< first tile of each kind, and the end
};

/// Division of a call's outputs into 4x4 tiles, image by image and row by row.
class Tiling {
 public:
  Tiling(Scheme scheme, const ConvShape& shape, const ConvCall& call);

  /// Number of tiles in `images` images.
  static int tiles(const ImageDims& out, int images);
  [[nodiscard]] TileBlock block(int first, int count) const;

  /// Tiles of a block that need a product, given by its numbers along columns and rows.
  struct Range {
    int first = 0;
    int count = 0;
  };
  [[nodiscard]] Range needing(const TileBlock& block, int row_product, int column_product) const;

 private:
  [[nodiscard]] Tile tile(int index) const;

  const ConvCall& call_;
  const ImageDims& dims_;
  int in_step_;   ///< input pixels from a tile to the next
  int in_first_;  ///< first input pixel of the first tile: -1 is the border
  const Algorithm& last_row_;
  const Algorithm& last_column_;
};

}  // namespace polyhead::kernels
