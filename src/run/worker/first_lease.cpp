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

std::vector<std::int64_t> read_by(int rank, const plan::Lease& lease, const Opening& opening) {
  const plan::Grid& grid = opening.grid;
  return plan::reads(lease, grid.heads, grid.member_of(rank), opening.all_read);
}

/// Returns rank 0's own.
Grant hand_out(comm::Channel& to_ranks, const Opening& opening) {
  const plan::Grid& grid = opening.grid;
  const auto leases = plan::LeaseSchedule(opening.work, grid.data, grid.heads).open(0);
  const auto packed = [&](int rank) {
    const plan::Lease& lease = leases.at(static_cast<std::size_t>(grid.group_of(rank)));
    WireWriter writer;
    put_grant(writer, lease, read_by(rank, lease, opening), opening.batches, opening.find);
    return std::move(writer).take();
  };
  for (int rank = 1; rank < grid.ranks(); ++rank)
    to_ranks.send(rank, static_cast<int>(ToRank::grant), packed(rank));
  return get_grant(packed(0));
}

Grant await(comm::Channel& to_ranks, std::chrono::milliseconds limit) {
  const auto message = to_ranks.receive(limit);
  if (message) return get_grant(message->bytes);
  throw Error(ExitCode::unavailable,
              fmt::format("rank 0 has not said within {} s where the work begins: rank 0 or its host is "
                          "frozen, or the network is cut",
                          std::chrono::duration<double>(limit).count()));
}

}  // namespace

plan::Lease open_work(comm::Channel& to_ranks, int rank, const Opening& opening, data::Loader* loader) {
  if (!opening.grid.works(rank)) return {};
  Grant grant = rank == 0 ? hand_out(to_ranks, opening) : await(to_ranks, opening.limit);
  const auto batches = read_by(rank, grant.lease, opening);
  // One step of the group: those are neighbours, or there is one.
  if (!batches.empty())
    loader->request(batches.front(), static_cast<std::int64_t>(batches.size()), std::move(grant.locations));
  return grant.lease;
}

}  // namespace polyhead::run
