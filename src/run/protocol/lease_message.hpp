#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "polyhead/base/wire.hpp"
#include "polyhead/data/location.hpp"
#include "polyhead/plan/lease.hpp"
#include "polyhead/plan/micro_batches.hpp"
#include "polyhead/store/feature_cache.hpp"

namespace polyhead::run {

/// A lease, with the places of its samples and cached features.
struct LeaseMessage {
  plan::Lease lease;                      ///< lease; count 0: no more work
  std::vector<data::Location> locations;  ///< places of the samples that this rank reads; empty: it finds
                                          ///< them
  std::vector<store::Features> known;     ///< features of micro-batches whose samples need not be read
};

/// Places of the samples [first, first + count); empty when the ranks can find them by number.
using FindSamples = std::function<std::vector<data::Location>(std::int64_t first, std::int64_t count)>;

/// Writes a message. `read`: the micro-batches of `lease` that the rank reads. Cached features may follow in
/// the message.
void put_lease_message(WireWriter& writer, const plan::Lease& lease, std::span<const std::int64_t> read,
                       const plan::MicroBatches& batches, const FindSamples& find);
/// Reads a whole message.
LeaseMessage get_lease_message(std::span<const std::byte> bytes);

}  // namespace polyhead::run
