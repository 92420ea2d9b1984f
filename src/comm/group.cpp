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

/// Color of a rank where all working ranks are one group.
int one_group(int color) {
  return color < 0 ? -1 : 0;
}

std::vector<Seat> in_one_group(std::vector<Seat> seats) {
  for (Seat& seat : seats) seat.color = one_group(seat.color);
  return seats;
}

std::vector<std::string> gpus_of(const std::vector<Seat>& seats) {
  std::vector<std::string> gpus;
  gpus.reserve(seats.size());
  for (const Seat& seat : seats) gpus.push_back(seat.uuid);
  return gpus;
}

/// Result of `make` on the ranks of a color that is not negative, or the same AgreedError on all ranks of the
/// world.
template <class Make>
auto among_color(MpiEnvironment& mpi, Collectives& world, int color, std::chrono::milliseconds timeout,
                 Make make) -> decltype(make(world)) {
  // A failed rank waits for ranks that in turn wait for it: they need the time limit to notice, and it needs
  // some more.
  const auto bootstrap = mpi.split(color, 2 * timeout);
  decltype(make(world)) made;
  agree(world, [&] {
    if (bootstrap) made = make(*bootstrap);
  });
  return made;
}

/// Sets `choice` to the result of `choose_backend`. Where that is NCCL, calls `make` with the color. Where
/// `make` fails and NCCL was not asked for, `choice` becomes MPI.
template <class Make>
auto with_nccl(Collectives& world, std::span<const Seat> seats, Backend wanted, BackendChoice& choice,
               Make make) -> decltype(make()) {
  agree(world, [&] { choice = choose_backend(seats, wanted); });
  if (choice.backend != Backend::nccl) return nullptr;
  try {
    return make();
  } catch (const AgreedError& error) {
    if (wanted == Backend::nccl) throw;
    choice = {Backend::mpi, std::string("NCCL cannot be set up: ") + error.what(), true};
    return nullptr;
  }
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
  const int gpu = device.value_or(0);
  group.collectives = with_nccl(*world, seats, wanted, group.choice, [&] {
    return among_color(mpi, *world, color, timeout,
                       [&](Collectives& ranks) { return make_nccl(ranks, gpu, timeout); });
  });
  if (group.choice.fell_back) {
    group.weights_choice = group.choice;
  } else {
    group.to_gpus = with_nccl(*world, in_one_group(seats), wanted, group.weights_choice, [&] {
      return among_color(mpi, *world, one_group(color), timeout,
                         [&](Collectives& ranks) { return make_device_broadcast(ranks, gpu, timeout); });
    });
  }
  if (group.choice.backend == Backend::nccl) return group;
  group.collectives = mpi.split(color, timeout);
  return group;
}

}  // namespace polyhead::comm
