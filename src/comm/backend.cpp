#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/comm/group.hpp"

namespace polyhead::comm {
namespace {

bool any_gpu(std::span<const Seat> seats) {
  return std::ranges::any_of(seats, [](const Seat& seat) { return !seat.uuid.empty(); });
}

bool any_group_exchanges(std::span<const Seat> seats) {
  std::map<int, int> ranks;
  for (const Seat& seat : seats) {
    if (seat.color >= 0 && ++ranks[seat.color] == 2) return true;
  }
  return false;
}

/// Reason why a rank cannot take part in NCCL, or nothing.
std::string incapable(std::span<const Seat> seats) {
  for (std::size_t rank = 0; rank < seats.size(); ++rank) {
    const Seat& seat = seats[rank];
    if (seat.color >= 0 && !seat.why.empty())
      return fmt::format("rank {} on {}: {}", rank, seat.host, seat.why);
  }
  return "";
}

/// Two ranks that have the same GPU, or nothing. Compares UUIDs alone: containers of one machine have several
/// host names.
std::string shared_gpu(std::span<const Seat> seats) {
  std::map<std::string, std::size_t> owners;
  for (std::size_t rank = 0; rank < seats.size(); ++rank) {
    const Seat& seat = seats[rank];
    if (seat.color < 0) continue;
    const auto [owner, is_new] = owners.try_emplace(seat.uuid, rank);
    if (!is_new) {
      return fmt::format("ranks {} and {} on {} share the GPU {}, and NCCL wants one for each rank",
                         owner->second, rank, seat.host, seat.uuid);
    }
  }
  return "";
}

}  // namespace

std::string_view name(Backend backend) {
  switch (backend) {
    case Backend::mpi:
      return "mpi";
    case Backend::nccl:
      return "nccl";
    default:
      return "auto";
  }
}

BackendChoice choose_backend(std::span<const Seat> seats, Backend wanted) {
  if (wanted == Backend::mpi) return {Backend::mpi, "comm.backend is mpi"};
  if (wanted == Backend::automatic) {
    if (!any_gpu(seats)) return {Backend::mpi, "no rank computes on a GPU"};
    if (!any_group_exchanges(seats)) return {Backend::mpi, "no ranks share the heads"};
  }
  const std::string why = incapable(seats);
  if (!why.empty() && wanted == Backend::nccl) {
    throw Error(ExitCode::config,
                fmt::format("comm.backend nccl cannot be used: {}. Use comm.backend: mpi or auto", why));
  }
  if (!why.empty()) return {Backend::mpi, fmt::format("NCCL cannot be used: {}", why)};
  const std::string shared = shared_gpu(seats);
  if (shared.empty()) return {Backend::nccl, "each rank has a GPU of its own"};
  return {Backend::mpi, fmt::format("{}. Start one rank a GPU", shared)};
}

}  // namespace polyhead::comm
