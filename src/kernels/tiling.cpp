#include "tiling.hpp"

#include <algorithm>

namespace polyhead::kernels {
namespace {

int tiles_along(int pixels) {
  return (pixels + kTile - 1) / kTile;
}

/// Algorithm of the last tile along this number of pixels.
const Algorithm& last_of(Scheme scheme, int pixels) {
  return kAlgorithms.of[static_cast<int>(scheme)][(pixels - 1) % kTile + 1];
}

/// Index of the tile's kind in the order of TileBlock.
int kind_of(const Tile& tile) {
  const bool below = tile.rows < kTile;
  if (tile.columns < kTile) return below ? 3 : 2;
  return below ? 0 : 1;
}

}  // namespace

Tiling::Tiling(Scheme scheme, const ConvShape& shape, const ConvCall& call)
    : call_(call),
      dims_(call.out->dims()),
      in_step_(kTile * shape.stride),
      in_first_(shape.kernel == 3 ? -1 : 0),
      last_row_(last_of(scheme, dims_.height)),
      last_column_(last_of(scheme, dims_.width)) {}

int Tiling::tiles(const ImageDims& out, int images) {
  return images * tiles_along(out.height) * tiles_along(out.width);
}

Tile Tiling::tile(int index) const {
  const int columns = tiles_along(dims_.width);
  const int rows = tiles_along(dims_.height);
  const int image = index / (rows * columns);
  const int row = index / columns % rows;
  const int column = index % columns;
  Tile made;
  made.in =
      call_.in->offset(call_.in_first + image, row * in_step_ + in_first_, column * in_step_ + in_first_);
  made.out = call_.out->offset(call_.out_first + image, row * kTile, column * kTile);
  made.rows = std::min(kTile, dims_.height - row * kTile);
  made.columns = std::min(kTile, dims_.width - column * kTile);
  return made;
}

TileBlock Tiling::block(int first, int count) const {
  TileBlock made;
  made.tiles.reserve(static_cast<std::size_t>(count));
  for (int kind = 0; kind < 4; ++kind) {
    for (int index = first; index < first + count; ++index) {
      const Tile candidate = tile(index);
      if (kind_of(candidate) == kind) made.tiles.push_back(candidate);
    }
    made.first[static_cast<std::size_t>(kind) + 1] = static_cast<int>(made.tiles.size());
  }
  return made;
}

Tiling::Range Tiling::needing(const TileBlock& block, int row_product, int column_product) const {
  const bool below = last_row_.needs[row_product];
  const bool right = last_column_.needs[column_product];
  const int first = below ? 0 : block.first[1];
  const int end = !right ? block.first[2] : below ? block.first[4] : block.first[3];
  return {first, end - first};
}

}  // namespace polyhead::kernels
