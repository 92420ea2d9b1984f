#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <hdf5.h>

#include "check.hpp"

namespace polyhead::h5::detail {

using Dimensions = std::array<hsize_t, H5S_MAX_RANK>;

/// One call about the layout of a virtual dataset. Throws Error(bad_data).
template <class Call>
auto read_sources(const std::string& where, Call&& call) {
  return checked(ExitCode::bad_data, where, "read its sources", std::forward<Call>(call));
}

/// Result of a call that first returns the length of a text, and then the text.
template <class Call>
std::string told_text(const std::string& where, Call&& call) {
  const auto size =
      static_cast<std::size_t>(read_sources(where, [&] { return call(nullptr, std::size_t{0}); }));
  std::string text(size + 1, '\0');
  read_sources(where, [&] { return call(text.data(), text.size()); });
  text.resize(size);
  return text;
}

/// The extent of a space.
struct Extent {
  std::size_t rank = 0;
  Dimensions sides{};
};

/// Extent of a data space, and of an open dataset. Throw Error(bad_data).
Extent extent_of(hid_t space, const std::string& where);
Extent extent_of_dataset(hid_t dataset, const std::string& where);
std::uint64_t values_in(const Extent& extent);

/// Shape of a selection's values; `all`: extent of the space, for a selection of all. One dimension where the
/// selection is not regular.
Extent selected_shape(hid_t space, const Extent& all, const std::string& where);
/// Whether the values of `found`, in its order, begin with those of `wanted`. The sides must be equal, except
/// for the first, which may be longer, and for leading ones. For one dimension the number of values decides.
bool begins_with(const Extent& found, const Extent& wanted);
/// "[4, 8, 8, 3]".
std::string shown(const Extent& extent);

/// A selection of regular blocks.
struct Slab {
  Dimensions start{};
  Dimensions stride{};
  Dimensions count{};
  Dimensions block{};

  [[nodiscard]] bool ends(std::size_t dimension) const {
    return count.at(dimension) != H5S_UNLIMITED && block.at(dimension) != H5S_UNLIMITED;
  }
  /// Ends an endless selection at the extent; its last block may extend beyond.
  void end_at(const Extent& extent);
};

/// Regular blocks of a selection; nothing for another kind.
std::optional<Slab> slab_of(hid_t space);

/// A selection that grows with the dataset: regular blocks, without an end along one dimension.
struct Endless {
  std::size_t along = 0;
  hsize_t start = 0;
  hsize_t stride = 1;
  hsize_t block = 1;  ///< H5S_UNLIMITED: one block without an end
  Extent piece;       ///< one block

  /// Steps along the dimension before `end`.
  [[nodiscard]] std::uint64_t length(std::uint64_t end) const;
  /// Blocks that begin before `end`.
  [[nodiscard]] std::uint64_t blocks(std::uint64_t end) const;
};

/// Endless form of a selection; nothing when it has an end.
std::optional<Endless> endless(hid_t space, std::size_t rank);

}  // namespace polyhead::h5::detail
