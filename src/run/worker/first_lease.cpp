#include "first_lease.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/plan/steps.hpp"
#include "run/protocol/messages.hpp"

namespace polyhead::run {
namespace {

std::vector<std::int64_t> read_by(int rank, const plan::Lease& lease, const FirstLease& first_lease) {
  const plan::Grid& grid = first_lease.grid;
  return plan::reads(lease, grid.heads, grid.member_of(rank), first_lease.all_read);
}

/// Hands out the leases and returns rank 0's own.
LeaseMessage hand_out(comm::Channel& to_ranks, const FirstLease& first_lease) {
  const plan::Grid& grid = first_lease.grid;
  const auto leases = plan::LeaseSchedule(first_lease.work, grid.data, grid.heads).open(0);
  const auto packed = [&](int rank) {
    const plan::Lease& lease = leases.at(static_cast<std::size_t>(grid.group_of(rank)));
    WireWriter writer;
    put_lease_message(writer, lease, read_by(rank, lease, first_lease), first_lease.batches,
                      first_lease.find);
    return std::move(writer).take();
  };
  for (int rank = 1; rank < grid.ranks(); ++rank)
    to_ranks.send(rank, static_cast<int>(ToRank::lease_message), packed(rank));
  return get_lease_message(packed(0));
}

LeaseMessage await(comm::Channel& to_ranks, std::chrono::milliseconds limit) {
  const auto message = to_ranks.receive(limit);
  if (message) return get_lease_message(message->bytes);
  throw Error(ExitCode::unavailable,
              fmt::format("rank 0 has not said within {} s where the work begins: rank 0 or its host is "
                          "frozen, or the network is cut",
                          std::chrono::duration<double>(limit).count()));
}

}  // namespace

plan::Lease hand_out_first_lease(comm::Channel& to_ranks, int rank, const FirstLease& first_lease,
                                 data::Loader* loader) {
  if (!first_lease.grid.works(rank)) return {};
  LeaseMessage lease_message =
      rank == 0 ? hand_out(to_ranks, first_lease) : await(to_ranks, first_lease.limit);
  const auto batches = read_by(rank, lease_message.lease, first_lease);
  // One step of the group: its micro-batches are neighbours, or there is one.
  if (!batches.empty())
    loader->request(batches.front(), static_cast<std::int64_t>(batches.size()),
                    std::move(lease_message.locations));
  return lease_message.lease;
}

}  // namespace polyhead::run
