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

/// A lease, where its samples are, and what is known of them.
struct LeaseMessage {
  plan::Lease lease;                      ///< count 0: nothing left
  std::vector<data::Location> locations;  ///< of the samples that this rank reads; none: it finds them
  std::vector<store::Features> known;     ///< of micro-batches whose samples need not be read
};

/// Where the samples [first, first + count) are; empty when the ranks can find them by number.
using FindSamples = std::function<std::vector<data::Location>(std::int64_t first, std::int64_t count)>;

/// `read`: the micro-batches of `lease` that the rank reads. What is known of them may follow in the message.
void put_lease_message(WireWriter& writer, const plan::Lease& lease, std::span<const std::int64_t> read,
                       const plan::MicroBatches& batches, const FindSamples& find);
/// All of a message.
LeaseMessage get_lease_message(std::span<const std::byte> bytes);

}  // namespace polyhead::run
