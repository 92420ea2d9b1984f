#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "polyhead/h5/h5.hpp"
#include "selection.hpp"

namespace polyhead::h5::detail {

/// Values of a virtual dataset that come from a source. Mappings may overlap, so their sizes cannot be added.
class Coverage {
 public:
  Coverage(const Extent& extent, std::string where) : extent_(extent), where_(std::move(where)) {}

  /// Adds one mapping's selection in the virtual dataset; one without an end extends to the dataset's end.
  /// Throws Error(bad_data).
  void add(hid_t selected);
  /// Number of values of all mappings together, each counted once.
  [[nodiscard]] std::uint64_t values();

 private:
  struct Piece {
    hsize_t first = 0;  ///< start along the first dimension
    hsize_t last = 0;
    Handle space;
  };
  void clip(hid_t space) const;
  [[nodiscard]] bool are_apart();
  [[nodiscard]] std::uint64_t count(hid_t space) const;

  Extent extent_;
  std::string where_;
  std::vector<Piece> pieces_;
};

}  // namespace polyhead::h5::detail
