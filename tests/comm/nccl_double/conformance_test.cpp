#include <cstring>

#include "../pending_conformance.hpp"
#include "ranks.hpp"

namespace polyhead::comm {
namespace {

class NcclSizes : public NcclRanks, public ::testing::WithParamInterface<int> {};

TEST_P(NcclSizes, Collectives) {
  run(GetParam(), [&](Collectives& nccl) {
    EXPECT_EQ(nccl.size(), GetParam());
    conformance::run_all_cases(nccl);
  });
  EXPECT_THAT(nccl_double::breaches(), ::testing::IsEmpty());
  EXPECT_EQ(nccl_double::handles_left(), 0U);
  for (int rank = 0; rank < GetParam(); ++rank) {
    EXPECT_EQ(count(rank, "ncclCommDestroy"), 1);
    EXPECT_EQ(count(rank, "ncclCommAbort"), 0);
  }
}
INSTANTIATE_TEST_SUITE_P(Ranks, NcclSizes, ::testing::Values(1, 2, 3, 4, 8));

class NcclCalls : public NcclRanks {};

TEST_F(NcclCalls, SumsAreInt64AndBytesInt8OnOneStream) {
  run(2, [](Collectives& nccl) { conformance::run_all_cases(nccl); });
  const void* stream = nullptr;
  for (const auto& entry : nccl_double::log()) {
    if (entry.rank != 1 || entry.stream == nullptr) continue;
    if (stream == nullptr) stream = entry.stream;
    EXPECT_EQ(entry.stream, stream);
    EXPECT_GT(entry.group, 0);
    const bool sums = entry.what == "ncclAllReduce" || entry.what == "ncclReduceScatter";
    EXPECT_EQ(entry.type, sums ? "int64" : "int8") << entry.what;
  }
  EXPECT_NE(stream, nullptr);
}

TEST_F(NcclCalls, RanksConnectInOneGroup) {
  run(2, [](Collectives&) {});
  std::vector<nccl_double::Entry> calls;
  for (const auto& entry : nccl_double::log()) {
    if (entry.rank == 0 && entry.stream != nullptr) calls.push_back(entry);
  }
  ASSERT_EQ(calls.size(), 4U + 2 * 2);  // four collectives; a send to each rank, and a receive
  for (const auto& call : calls) EXPECT_EQ(call.group, calls.front().group);
}

TEST_F(NcclCalls, ARankStartsAndGoesOnBeforeTheOthersCome) {
  std::atomic<bool> rank_0_went_on = false;
  run(2, [&](Collectives& nccl) {
    const std::vector<std::byte> mine(100, std::byte{7});
    std::vector<std::byte> all(200);
    if (nccl.rank() == 1) {
      while (!rank_0_went_on) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const auto first = nccl.start_all_gather(mine, all);
    std::vector<std::int64_t> sums(1);
    const std::vector<std::int64_t> values{1, 2};
    const auto second = nccl.start_reduce_scatter(values, sums);
    if (nccl.rank() == 0) {
      EXPECT_EQ(count(0, "ncclAllGather done"), 1);  // that of connecting
      EXPECT_EQ(count(0, "ncclAllGather"), 2);
      EXPECT_EQ(count(1, "ncclAllGather"), 1);
      rank_0_went_on = true;
    }
    second->wait();
    first->wait();
    EXPECT_EQ(all, std::vector<std::byte>(200, std::byte{7}));
    EXPECT_EQ(sums[0], 2 * (nccl.rank() + 1));
  });
  EXPECT_THAT(nccl_double::breaches(), ::testing::IsEmpty());
}

/// CUDA's current GPU is the thread's: 0 in a new one.
TEST_F(NcclCalls, AnyThreadOfARankMayCall) {
  run(2, [](Collectives& nccl) {
    constexpr std::size_t kLarge = 10'000;  // more than there is memory for already
    std::vector<std::byte> all(2 * kLarge);
    std::thread([&] {
      const std::vector<std::byte> mine(kLarge, std::byte{7});
      nccl.start_all_gather(mine, all)->wait();
    }).join();
    EXPECT_EQ(all, std::vector<std::byte>(2 * kLarge, std::byte{7}));
  });
  EXPECT_THAT(nccl_double::breaches(), ::testing::IsEmpty());
}

TEST_F(NcclCalls, LargeBroadcastsTravelInPieces) {
  run(2, [](Collectives& nccl) {
    std::vector<std::byte> bytes((std::size_t{70} << 20U) + 3, std::byte{0});
    if (nccl.rank() == 1) std::ranges::fill(bytes, std::byte{9});
    nccl.broadcast(bytes, 1);
    const std::vector<std::byte> expected(bytes.size(), std::byte{9});
    EXPECT_EQ(std::memcmp(bytes.data(), expected.data(), bytes.size()), 0);
  });
  EXPECT_EQ(count(0, "ncclBroadcast"), 1 + 3);
}

}  // namespace
}  // namespace polyhead::comm
