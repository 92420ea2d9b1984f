#include "lease_message.hpp"

#include <algorithm>
#include <iterator>

namespace polyhead::run {

void put_lease_message(WireWriter& writer, const plan::Lease& lease, std::span<const std::int64_t> read,
                       const plan::MicroBatches& batches, const FindSamples& find) {
  writer.put(lease);
  if (lease.count == 0) return;
  std::vector<data::Location> locations;
  for (const std::int64_t batch : read) {
    const plan::SampleRange samples = batches.samples_of(batch);
    std::ranges::move(find(samples.first, samples.count), std::back_inserter(locations));
  }
  data::put_locations(writer, locations);
}

LeaseMessage get_lease_message(std::span<const std::byte> bytes) {
  WireReader reader(bytes);
  LeaseMessage lease_message;
  lease_message.lease = reader.get<plan::Lease>();
  if (lease_message.lease.count > 0) lease_message.locations = data::get_locations(reader);
  while (!reader.done()) lease_message.known.push_back(store::Features::get(reader));
  return lease_message;
}

}  // namespace polyhead::run
