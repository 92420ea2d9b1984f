/// Bytes to the GPUs of all ranks, or of some (comm/device_broadcast.hpp), on the double.

#include <chrono>
#include <cstring>

#include "polyhead/comm/agreement.hpp"
#include "polyhead/device/cuda.hpp"
#include "polyhead/device/stream.hpp"
#include "ranks.hpp"

namespace polyhead::comm {
namespace {

using namespace std::chrono_literals;
using nccl_double::FaultKind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto kTimeout = 8s;  // a piece in full size connects the ranks: sanitizers are slow at it

std::vector<std::byte> pattern(std::size_t size, int first) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(first + static_cast<int>(i % 251));
  return bytes;
}

/// The double's GPU memory is the host's.
std::vector<std::byte> held(const device::DeviceMemory& memory, std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), memory.get(), size);
  return bytes;
}

std::byte* start_of(const device::DeviceMemory& memory) {
  return static_cast<std::byte*>(memory.get());
}

using DeviceBroadcasts = NcclRanks;

TEST_F(DeviceBroadcasts, ReachAllGpusInPieces) {
  const std::size_t size = (std::size_t{70} << 20U) + 3;
  const std::vector<std::byte> sent = pattern(size, 3);
  run_broadcast(3, [&](int rank, DeviceBroadcast& to_gpus) {
    const auto memory = device::allocate_device(size);
    to_gpus.broadcast(rank == 0 ? std::span(sent) : std::span<const std::byte>{}, start_of(memory), size);
    EXPECT_EQ(std::memcmp(memory.get(), sent.data(), size), 0) << rank;
  });
  EXPECT_EQ(count(2, "ncclBroadcast"), 1 + 3);  // to connect; the pieces
  for (int rank = 0; rank < 3; ++rank) EXPECT_EQ(count(rank, "ncclCommAbort"), 0);
  EXPECT_THAT(nccl_double::breaches(), IsEmpty());
  EXPECT_EQ(nccl_double::handles_left(), 0U);
}

TEST_F(DeviceBroadcasts, ReachSomeGpusAlone) {
  const std::vector<std::byte> sent = pattern(1000, 7);
  run_broadcast(4, [&](int rank, DeviceBroadcast& to_gpus) {
    const bool joins = rank == 0 || rank == 3;
    const auto some = to_gpus.among(joins);
    ASSERT_EQ(some != nullptr, joins);
    if (!joins) return;
    const auto memory = device::allocate_device(sent.size());
    some->broadcast(rank == 0 ? std::span(sent) : std::span<const std::byte>{},
                    rank == 0 ? nullptr : start_of(memory), sent.size());
    EXPECT_EQ(rank == 0 || held(memory, sent.size()) == sent, true) << rank;
  });
  EXPECT_EQ(std::ranges::count_if(nccl_double::log(),
                                  [](const auto& entry) { return entry.what == "ncclBroadcast"; }),
            4 + 2);  // to connect; of those that joined
  EXPECT_THAT(nccl_double::breaches(), IsEmpty());
  EXPECT_EQ(nccl_double::handles_left(), 0U);
}

/// One rank's fault ends all ranks in time, with everything given back.
class DeviceBroadcastFaults : public NcclRanks, public ::testing::WithParamInterface<FaultKind> {};

TEST_P(DeviceBroadcastFaults, EndInTime) {
  for (const int call : {1, 2}) {  // the broadcast; the split
    nccl_double::reset();
    nccl_double::plant({GetParam(), 1, call});
    const auto begin = std::chrono::steady_clock::now();
    run_broadcast(
        2,
        [&](int rank, DeviceBroadcast& to_gpus) {
          const auto memory = device::allocate_device(100);
          const std::vector<std::byte> sent = pattern(100, 1);
          const auto from = rank == 0 ? std::span(sent) : std::span<const std::byte>{};
          std::string why;
          try {
            to_gpus.broadcast(from, start_of(memory), sent.size());
            const auto part = to_gpus.among(true);
            part->broadcast(from, start_of(memory), sent.size());
            ADD_FAILURE() << "no error on rank " << rank;
          } catch (const Error& error) {
            why = error.what();
            EXPECT_EQ(error.code(), ExitCode::unavailable);
            EXPECT_THAT(why, HasSubstr("NCCL: nccl"));
          }
          if (rank == 1 && call == 1) {
            try {
              to_gpus.broadcast(from, start_of(memory), sent.size());
              ADD_FAILURE() << "a communicator that failed was used";
            } catch (const Error& error) {
              EXPECT_EQ(error.what(), why);
            }
          }
        },
        kTimeout);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 6 * kTimeout) << call;
    EXPECT_EQ(nccl_double::handles_left(), 0U) << call;
  }
}

/// Who cannot connect learns it while MPI can still take NCCL's place.
TEST_P(DeviceBroadcastFaults, ShowWhenRanksAreConnected) {
  nccl_double::plant({GetParam(), 1, 0});
  LocalWorld world(2, std::chrono::seconds(30));
  std::vector<std::jthread> ranks;
  for (int rank = 0; rank < 2; ++rank) {
    ranks.emplace_back([&, rank] {
      const auto bootstrap = world.collectives(rank);
      EXPECT_THROW(make_device_broadcast(*bootstrap, rank, kTimeout), AgreedError);
    });
  }
  ranks.clear();
  EXPECT_EQ(nccl_double::handles_left(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Kinds, DeviceBroadcastFaults,
                         ::testing::Values(FaultKind::never_arrives, FaultKind::call_fails));

}  // namespace
}  // namespace polyhead::comm
