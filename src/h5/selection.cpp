#include "selection.hpp"

#include <algorithm>

#include "polyhead/h5/h5.hpp"

namespace polyhead::h5::detail {

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

std::uint64_t Endless::length(std::uint64_t end) const {
  if (end <= start) return 0;
  if (block == H5S_UNLIMITED) return end - start;
  return (end - start) / stride * block + std::min<std::uint64_t>((end - start) % stride, block);
}

std::uint64_t Endless::blocks(std::uint64_t end) const {
  return end <= start ? 0 : (end - start + stride - 1) / stride;
}

std::optional<Endless> endless(hid_t space, std::size_t rank) {
  if (H5Sget_select_type(space) != H5S_SEL_HYPERSLABS || H5Sis_regular_hyperslab(space) <= 0)
    return std::nullopt;
  Dimensions start{};
  Dimensions stride{};
  Dimensions count{};
  Dimensions block{};
  if (H5Sget_regular_hyperslab(space, start.data(), stride.data(), count.data(), block.data()) < 0)
    return std::nullopt;
  std::optional<Endless> found;
  std::uint64_t across = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    if (count[i] == H5S_UNLIMITED || block[i] == H5S_UNLIMITED) {
      found = Endless{i, start[i], std::max<hsize_t>(1, stride[i]), block[i], 1};
    } else {
      across *= count[i] * block[i];
    }
  }
  if (found) found->across = across;
  return found;
}

}  // namespace polyhead::h5::detail
