#include "selection.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "polyhead/h5/h5.hpp"

namespace polyhead::h5::detail {
namespace {

std::optional<Extent> regular_shape(hid_t space, std::size_t rank) {
  const auto slab = slab_of(space);
  if (!slab) return std::nullopt;
  Extent shape{rank, {}};
  for (std::size_t i = 0; i < rank; ++i) shape.sides[i] = slab->count[i] * slab->block[i];
  return shape;
}

}  // namespace

void Slab::end_at(const Extent& extent) {
  for (std::size_t i = 0; i < extent.rank; ++i) {
    const hsize_t left = extent.sides[i] > start[i] ? extent.sides[i] - start[i] : 0;
    const hsize_t step = std::max<hsize_t>(1, stride[i]);
    if (block[i] == H5S_UNLIMITED) {
      block[i] = std::max<hsize_t>(1, left);
      count[i] = left > 0 ? 1 : 0;
    } else if (count[i] == H5S_UNLIMITED) {
      count[i] = (left + step - 1) / step;
    }
  }
}

std::optional<Slab> slab_of(hid_t space) {
  if (H5Sget_select_type(space) != H5S_SEL_HYPERSLABS || H5Sis_regular_hyperslab(space) <= 0)
    return std::nullopt;
  Slab slab;
  if (H5Sget_regular_hyperslab(space, slab.start.data(), slab.stride.data(), slab.count.data(),
                               slab.block.data()) < 0)
    return std::nullopt;
  return slab;
}

Extent extent_of(hid_t space, const std::string& where) {
  Extent extent;
  extent.rank = static_cast<std::size_t>(checked(ExitCode::bad_data, where, "read its shape", [&] {
    return H5Sget_simple_extent_dims(space, extent.sides.data(), nullptr);
  }));
  return extent;
}

Extent extent_of_dataset(hid_t dataset, const std::string& where) {
  const Handle space(
      checked(ExitCode::bad_data, where, "read its shape", [&] { return H5Dget_space(dataset); }));
  return extent_of(space.get(), where);
}

std::uint64_t values_in(const Extent& extent) {
  std::uint64_t values = 1;
  for (std::size_t i = 0; i < extent.rank; ++i) values *= extent.sides[i];
  return values;
}

Extent selected_shape(hid_t space, const Extent& all, const std::string& where) {
  if (H5Sget_select_type(space) == H5S_SEL_ALL) return all;
  const Extent extent = extent_of(space, where);
  if (const auto shape = regular_shape(space, extent.rank)) return *shape;
  const auto values = read_sources(where, [&] { return H5Sget_select_npoints(space); });
  return {1, {static_cast<hsize_t>(values)}};
}

bool begins_with(const Extent& found, const Extent& wanted) {
  if (wanted.rank == 1 && found.rank > 1) return values_in(found) >= wanted.sides[0];
  std::size_t skipped = 0;
  while (skipped < wanted.rank && wanted.sides[skipped] == 1) ++skipped;
  const std::size_t rank = wanted.rank - skipped;
  if (rank > found.rank) return false;
  for (std::size_t i = 0; i < rank; ++i) {
    const hsize_t have = found.sides[found.rank - rank + i];
    const hsize_t want = wanted.sides[skipped + i];
    if (i == 0 && skipped == 0 ? have < want : have != want) return false;
  }
  return true;
}

std::string shown(const Extent& extent) {
  return fmt::format("[{}]", fmt::join(std::span(extent.sides).first(extent.rank), ", "));
}

std::uint64_t Endless::length(std::uint64_t end) const {
  if (end <= start) return 0;
  if (block == H5S_UNLIMITED) return end - start;
  return (end - start) / stride * block + std::min<std::uint64_t>((end - start) % stride, block);
}

std::uint64_t Endless::blocks(std::uint64_t end) const {
  return end <= start ? 0 : (end - start + stride - 1) / stride;
}

std::optional<Endless> endless(hid_t space, std::size_t rank) {
  const auto slab = slab_of(space);
  if (!slab) return std::nullopt;
  std::optional<Endless> found;
  Extent piece{rank, {}};
  for (std::size_t i = 0; i < rank; ++i) {
    if (slab->ends(i)) {
      piece.sides[i] = slab->count[i] * slab->block[i];
    } else {
      found = Endless{i, slab->start[i], std::max<hsize_t>(1, slab->stride[i]), slab->block[i], {}};
      piece.sides[i] = slab->block[i];
    }
  }
  if (found) found->piece = piece;
  return found;
}

}  // namespace polyhead::h5::detail
