#include "tiling.hpp"

#include <algorithm>

namespace polyhead::kernels {
namespace {

int tiles_along(int pixels) {
  return (pixels + kTile - 1) / kTile;
}

void mark_needed(Scheme scheme, int pixels, bool* needed) {
  const Algorithm last = algorithm(scheme, (pixels - 1) % kTile + 1);
  for (int product = 0; product < last.products; ++product) needed[last.id[product]] = true;
}

}  // namespace

Tiling::Tiling(Scheme scheme, const ConvCall& call)
    : call_(call),
      rows_(tiles_along(call.out->dims().height)),
      columns_(tiles_along(call.out->dims().width)),
      in_step_(scheme == Scheme::winograd_strided || scheme == Scheme::plain_strided ? 2 * kTile : kTile),
      in_first_(scheme == Scheme::winograd || scheme == Scheme::winograd_strided ? -1 : 0) {
  mark_needed(scheme, call.out->dims().height, needed_in_last_row_);
  mark_needed(scheme, call.out->dims().width, needed_in_last_column_);
}

Tile Tiling::tile(int index) const {
  const int image = index / (rows_ * columns_);
  const int row = index / columns_ % rows_;
  const int column = index % columns_;
  const ImageDims& dims = call_.out->dims();
  Tile made;
  made.in =
      call_.in->offset(call_.in_first + image, row * in_step_ + in_first_, column * in_step_ + in_first_);
  made.out = call_.out->offset(call_.out_first + image, row * kTile, column * kTile);
  if (call_.residual != nullptr) {
    made.residual = call_.residual->offset(call_.residual_first + image, row * kTile, column * kTile);
  }
  made.rows = std::min(kTile, dims.height - row * kTile);
  made.columns = std::min(kTile, dims.width - column * kTile);
  return made;
}

Tiling::Block Tiling::block(int first, int count) const {
  Block made;
  made.tiles.reserve(static_cast<std::size_t>(count));
  const auto take = [&](bool below, bool right) {
    const std::size_t before = made.tiles.size();
    for (int index = first; index < first + count; ++index) {
      const Tile candidate = tile(index);
      const bool chosen = (candidate.rows < kTile) == below && (candidate.columns < kTile) == right;
      if (chosen) made.tiles.push_back(candidate);
    }
    return static_cast<int>(made.tiles.size() - before);
  };
  made.cut_below = take(true, false);
  made.whole = take(false, false);
  made.cut_right = take(false, true);
  made.cut_both = take(true, true);
  return made;
}

Tiling::Range Tiling::needing(const Block& block, int row_product, int column_product) const {
  const bool in_last_row = needed_in_last_row_[row_product];
  const bool in_last_column = needed_in_last_column_[column_product];
  const int skipped = in_last_row ? 0 : block.cut_below;
  int end = block.cut_below + block.whole;
  if (in_last_column) end += block.cut_right + (in_last_row ? block.cut_both : 0);
  return {skipped, end - skipped};
}

}  // namespace polyhead::kernels
