#pragma once

#include <vector>

#include "algorithm.hpp"
#include "polyhead/kernels/convolution.hpp"
#include "table.hpp"

namespace polyhead::kernels {

/// How the outputs of a call are cut into 4x4 tiles, image by image and row by row.
class Tiling {
 public:
  Tiling(Scheme scheme, const ConvCall& call);

  [[nodiscard]] int tiles() const { return call_.images * rows_ * columns_; }

  /// Tiles in the order: cut at the bottom, whole, cut at the right, cut at both. So those that need a
  /// product are always neighbours.
  struct Block {
    std::vector<Tile> tiles;
    int cut_below = 0;  ///< tiles of the first kind
    int whole = 0;
    int cut_right = 0;
    int cut_both = 0;
  };
  [[nodiscard]] Block block(int first, int count) const;

  /// The tiles of a block that need a product, given by its numbers along columns and rows.
  struct Range {
    int first = 0;
    int count = 0;
  };
  [[nodiscard]] Range needing(const Block& block, int row_product, int column_product) const;

 private:
  [[nodiscard]] Tile tile(int index) const;

  ConvCall call_;
  int rows_;  ///< of tiles
  int columns_;
  int in_step_;   ///< input pixels from a tile to the next
  int in_first_;  ///< first input pixel of the first tile: -1 is the border
  bool needed_in_last_row_[kMostProducts] = {};
  bool needed_in_last_column_[kMostProducts] = {};
};

}  // namespace polyhead::kernels
