#include "extent.hpp"

namespace polyhead::store {

Extent own_pages(const Extent& extent) {
  const std::uint64_t first = (extent.first + kPage - 1) / kPage * kPage;
  const std::uint64_t end = extent.end() / kPage * kPage;
  return first < end ? Extent{first, end - first} : Extent{extent.first, 0};
}

}  // namespace polyhead::store
