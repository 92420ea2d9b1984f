#include "lease_message.hpp"

#include <algorithm>
#include <iterator>

namespace polyhead::run {

void put_grant(WireWriter& writer, const plan::Lease& lease, std::span<const std::int64_t> read,
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

Grant get_grant(std::span<const std::byte> bytes) {
  WireReader reader(bytes);
  Grant grant;
  grant.lease = reader.get<plan::Lease>();
  if (grant.lease.count > 0) grant.locations = data::get_locations(reader);
  while (!reader.done()) grant.known.push_back(store::Features::get(reader));
  return grant;
}

}  // namespace polyhead::run
