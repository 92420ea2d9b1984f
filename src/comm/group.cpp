#include "polyhead/comm/group.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "polyhead/base/error.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/comm/nccl.hpp"
#include "polyhead/device/cuda.hpp"

namespace polyhead::comm {
namespace {

constexpr std::chrono::minutes kStartOfCuda{5};  // a driver may take its time for the first call

Seat seat_of(const MpiEnvironment& mpi, int color, std::optional<int> device) {
  Seat seat{color, mpi.host(), "", why_no_nccl()};
  if (device) seat.uuid = device::query(*device).uuid;
  if (!device && seat.why.empty()) {
    const std::string why = device::why_no_device();
    seat.why = why.empty() ? "it computes on the CPU" : why;
  }
  return seat;
}

std::vector<Seat> all_seats(Collectives& world, const Seat& mine) {
  WireWriter writer;
  writer.put(mine.color).put_text(mine.host).put_text(mine.uuid).put_text(mine.why);
  std::vector<Seat> seats;
  for (const auto& bytes : world.all_gather(writer.bytes())) {
    WireReader reader(bytes);
    Seat& seat = seats.emplace_back();
    seat.color = reader.get<int>();
    seat.host = reader.get_text();
    seat.uuid = reader.get_text();
    seat.why = reader.get_text();
  }
  return seats;
}

std::vector<std::string> gpus_of(const std::vector<Seat>& seats) {
  std::vector<std::string> gpus;
  gpus.reserve(seats.size());
  for (const Seat& seat : seats) gpus.push_back(seat.uuid);
  return gpus;
}

/// NCCL in every group, or the same AgreedError on all ranks of the world.
std::unique_ptr<Collectives> nccl_group(MpiEnvironment& mpi, Collectives& world, int color, int device,
                                        std::chrono::milliseconds timeout) {
  // A rank that failed waits for those that wait for it: they need the time limit to notice, it some more.
  const auto bootstrap = mpi.split(color, 2 * timeout);
  std::unique_ptr<Collectives> group;
  agree(world, [&] {
    if (bootstrap) group = make_nccl(*bootstrap, device, timeout);
  });
  return group;
}

}  // namespace

Group make_group(MpiEnvironment& mpi, int color, Backend wanted, std::optional<int> device,
                 std::chrono::milliseconds timeout) {
  const auto world = mpi.collectives_within(std::max<std::chrono::milliseconds>(4 * timeout, kStartOfCuda));
  Seat mine;
  agree(*world, [&] { mine = seat_of(mpi, color, device); });
  const std::vector<Seat> seats = all_seats(*world, mine);
  Group group;
  group.gpus = gpus_of(seats);
  agree(*world, [&] { group.choice = choose_backend(seats, wanted); });
  if (group.choice.backend == Backend::nccl) {
    try {
      group.collectives = nccl_group(mpi, *world, color, device.value_or(0), timeout);
      return group;
    } catch (const AgreedError& error) {
      if (wanted == Backend::nccl) throw;
      group.choice = {Backend::mpi, std::string("NCCL cannot be set up: ") + error.what()};
    }
  }
  group.collectives = mpi.split(color, timeout);
  return group;
}

}  // namespace polyhead::comm
