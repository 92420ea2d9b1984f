#include "coverage.hpp"

#include <algorithm>
#include <utility>

namespace polyhead::h5::detail {
void Coverage::add(hid_t selected) {
  const int rank = static_cast<int>(extent_.rank);
  Piece piece{
      0, 0,
      Handle(read_sources(where_, [&] { return H5Screate_simple(rank, extent_.sides.data(), nullptr); }))};
  const hid_t space = piece.space.get();
  if (auto slab = slab_of(selected)) {
    slab->end_at(extent_);
    read_sources(where_, [&] {
      return H5Sselect_hyperslab(space, H5S_SELECT_SET, slab->start.data(), slab->stride.data(),
                                 slab->count.data(), slab->block.data());
    });
  } else if (H5Sget_select_type(selected) != H5S_SEL_ALL) {
    read_sources(where_, [&] { return H5Sselect_copy(space, selected); });
  }
  clip(space);
  if (count(space) == 0) return;
  Dimensions first{};
  Dimensions last{};
  read_sources(where_, [&] { return H5Sget_select_bounds(space, first.data(), last.data()); });
  piece.first = first[0];
  piece.last = last[0];
  pieces_.push_back(std::move(piece));
}

/// Cuts off the parts of blocks beyond the dataset. A selection of everything becomes one block, so that it
/// can be joined with others.
void Coverage::clip(hid_t space) const {
  Dimensions start{};
  Dimensions once{};
  once.fill(1);
  const H5S_seloper_t how = H5Sget_select_type(space) == H5S_SEL_ALL ? H5S_SELECT_SET : H5S_SELECT_AND;
  read_sources(where_, [&] {
    return H5Sselect_hyperslab(space, how, start.data(), nullptr, once.data(), extent_.sides.data());
  });
}

/// Whether no two selections have a row in common. Sorts them.
bool Coverage::are_apart() {
  std::ranges::sort(pieces_, {}, &Piece::first);
  return std::ranges::adjacent_find(
             pieces_, [](const Piece& a, const Piece& b) { return a.last >= b.first; }) == pieces_.end();
}

std::uint64_t Coverage::values() {
  if (pieces_.empty()) return 0;
  std::uint64_t values = 0;
  if (are_apart()) {  // the usual case; joining takes far longer
    for (const Piece& piece : pieces_) values += count(piece.space.get());
    return values;
  }
  Handle all = std::move(pieces_.front().space);
  for (std::size_t i = 1; i < pieces_.size(); ++i) {
    all = Handle(read_sources(
        where_, [&] { return H5Scombine_select(all.get(), H5S_SELECT_OR, pieces_[i].space.get()); }));
  }
  return count(all.get());
}

std::uint64_t Coverage::count(hid_t space) const {
  return static_cast<std::uint64_t>(read_sources(where_, [&] { return H5Sget_select_npoints(space); }));
}

}  // namespace polyhead::h5::detail
