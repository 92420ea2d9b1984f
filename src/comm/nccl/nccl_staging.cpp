#include "nccl_staging.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace polyhead::comm {
namespace {

Slot make_slot(std::size_t capacity) {
  return {capacity, device::allocate_host(capacity), device::allocate_device(capacity), device::make_event()};
}

}  // namespace

Slot Staging::take(std::size_t bytes, const std::function<void()>& quieten) {
  const auto fits = [&](const Slot& slot) { return slot.capacity >= bytes; };
  auto found = std::ranges::find_if(free_, fits);
  if (found == free_.end()) {
    quieten();
    // Two slots: the exchange of one step runs while the next one begins.
    const std::size_t capacity = std::bit_ceil(std::max(bytes, std::size_t{4096}));
    for (int i = 0; i < 2; ++i) free_.push_back(make_slot(capacity));
    found = free_.end() - 1;
  }
  Slot slot = std::move(*found);
  free_.erase(found);
  return slot;
}

void Staging::give_back(Slot slot) {
  // Sorted from the smallest on, so that the first that fits is the best.
  const auto place = std::ranges::upper_bound(free_, slot.capacity, {}, &Slot::capacity);
  free_.insert(place, std::move(slot));
}

}  // namespace polyhead::comm
