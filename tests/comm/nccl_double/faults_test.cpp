#include <atomic>
#include <chrono>

#include "polyhead/comm/agreement.hpp"
#include "ranks.hpp"

namespace polyhead::comm {
namespace {

using namespace std::chrono_literals;
using nccl_double::Fault;
using nccl_double::FaultKind;
using ::testing::HasSubstr;

class NcclFaults : public NcclRanks {
 protected:
  static constexpr auto kTimeout = 1500ms;

  /// Runs an all-gather and a reduce-scatter, several times, with the fault planted in the third of them: on
  /// all `failing` ranks it must end in an error with `text`, in time, and everything be given back.
  void expect_failure(FaultKind kind, int failing, const std::string& text) {
    const auto begin = std::chrono::steady_clock::now();
    nccl_double::plant({kind, 1, kConnecting + 2});
    run(
        3, [&](Collectives& nccl) { work_until_it_fails(nccl, nccl.rank() == 1 ? text : ""); }, kTimeout);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 4 * kTimeout);
    EXPECT_EQ(nccl_double::handles_left(), 0U);
    long aborted = 0;
    for (int rank = 0; rank < 3; ++rank) aborted += count(rank, "ncclCommAbort");
    EXPECT_EQ(aborted, failing);
  }

  static void work_until_it_fails(Collectives& nccl, const std::string& text) {
    const std::vector<std::byte> mine(64, std::byte{1});
    std::vector<std::byte> all(3 * mine.size());
    const std::vector<std::int64_t> values(9, 5);
    std::vector<std::int64_t> sums(3);
    std::string why;
    try {
      for (int step = 0; step < 3; ++step) {
        const auto gather = nccl.start_all_gather(mine, all);
        const auto scatter = nccl.start_reduce_scatter(values, sums);
        gather->wait();
        scatter->wait();
      }
      ADD_FAILURE() << "no error on rank " << nccl.rank();
    } catch (const Error& error) {
      why = error.what();
      EXPECT_EQ(error.code(), ExitCode::unavailable);
      EXPECT_THAT(why, HasSubstr("NCCL: "));
      EXPECT_THAT(why, HasSubstr(text));
    }
    try {
      nccl.barrier();  // the communicator is gone: the same error at once
      ADD_FAILURE() << "a communicator that failed was used";
    } catch (const Error& error) {
      EXPECT_EQ(error.what(), why);
    }
  }
};

TEST_F(NcclFaults, AWrongCount) {
  expect_failure(FaultKind::wrong_count, 3, "another count");
  EXPECT_THAT(nccl_double::breaches(), ::testing::Contains(HasSubstr("rank 1, call 7, ncclAllGather")));
}

TEST_F(NcclFaults, ACallThatFailsAtOnce) {
  expect_failure(FaultKind::call_fails, 3, "ncclAllGather");
}

TEST_F(NcclFaults, AWrongType) {
  expect_failure(FaultKind::wrong_type, 3, "another count, type");
}

TEST_F(NcclFaults, AnotherOrderOfCalls) {
  run(
      2,
      [](Collectives& nccl) {
        const std::vector<std::byte> mine(64);
        std::vector<std::byte> all(128);
        const std::vector<std::int64_t> values(2);
        std::vector<std::int64_t> sum(1);
        const auto pending =
            nccl.rank() == 0 ? nccl.start_all_gather(mine, all) : nccl.start_reduce_scatter(values, sum);
        EXPECT_THROW(pending->wait(), Error);
      },
      kTimeout);
  EXPECT_THAT(nccl_double::breaches(), ::testing::Contains(HasSubstr("another rank calls something else")));
  EXPECT_EQ(nccl_double::handles_left(), 0U);
}

/// Of a send: the rank that receives waits for less.
TEST_F(NcclFaults, AWrongCountOfASend) {
  nccl_double::plant({FaultKind::wrong_count, 1, kConnecting});
  run(
      3,
      [](Collectives& nccl) {
        const std::vector<std::size_t> sizes{8, 0, 5};
        const std::vector<std::byte> blocks(3 * sizes[static_cast<std::size_t>(nccl.rank())]);
        std::vector<std::byte> received(13);
        EXPECT_THROW(nccl.start_all_to_all(blocks, received, sizes)->wait(), Error);
      },
      kTimeout);
  EXPECT_THAT(nccl_double::breaches(), ::testing::Contains(HasSubstr("ncclSend: another rank")));
  EXPECT_EQ(nccl_double::handles_left(), 0U);
}

TEST_F(NcclFaults, AMissingGroupEnd) {
  expect_failure(FaultKind::missing_group_end, 3, "a NCCL call is still to come");
}

TEST_F(NcclFaults, ARankThatNeverArrives) {
  expect_failure(FaultKind::never_arrives, 3, "other ranks did not join within 1.5 s");
}

TEST_F(NcclFaults, AnErrorOfTheNetwork) {
  expect_failure(FaultKind::async_error, 3, "remote process exited");
}

TEST_F(NcclFaults, ARankThatNeverCallsEndsTheWaitOfTheOthers) {
  const auto begin = std::chrono::steady_clock::now();
  run(
      3,
      [&](Collectives& nccl) {
        if (nccl.rank() == 2) return;
        EXPECT_THROW(nccl.barrier(), Error);
      },
      kTimeout);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 4 * kTimeout);
  EXPECT_EQ(count(0, "ncclCommAbort"), 1);
  EXPECT_EQ(count(1, "ncclCommAbort"), 1);
  EXPECT_EQ(nccl_double::handles_left(), 0U);
}

TEST_F(NcclFaults, ARankThatThrowsLeavesWithoutTheOthers) {
  LocalWorld world(2, 30s);
  std::atomic<bool> gone = false;
  const std::jthread other([&] {
    const auto nccl = make_nccl(*world.collectives(1), 1, kTimeout);
    while (!gone) std::this_thread::sleep_for(1ms);
  });
  EXPECT_THROW(
      {
        const auto nccl = make_nccl(*world.collectives(0), 0, 30s);
        throw Error(ExitCode::internal, "of this rank alone");
      },
      Error);
  gone = true;
  EXPECT_EQ(count(0, "ncclCommFinalize"), 0);
  EXPECT_EQ(count(0, "ncclCommAbort"), 1);
}

TEST_F(NcclFaults, HandlesThatAreDroppedAfterAFailureDoNotHang) {
  nccl_double::plant({FaultKind::never_arrives, 0, kConnecting});
  run(
      2,
      [](Collectives& nccl) {
        const std::vector<std::byte> mine(64);
        std::vector<std::byte> all(128);
        const auto first = nccl.start_all_gather(mine, all);
        const auto second = nccl.start_all_gather(mine, all);
        EXPECT_THROW(second->wait(), Error);
      },
      kTimeout);
  EXPECT_EQ(nccl_double::handles_left(), 0U);
}

/// `make_nccl` of two ranks, on these devices.
void expect_refusal(int device_0, int device_1, ExitCode code, const std::string& text) {
  LocalWorld world(2, 30s);
  const auto start = [&](int rank, int device) {
    try {
      make_nccl(*world.collectives(rank), device, 1s);
      ADD_FAILURE() << "no error";
    } catch (const AgreedError& error) {
      EXPECT_EQ(error.code(), code);
      EXPECT_THAT(error.what(), HasSubstr(text));
    }
  };
  const std::jthread one([&] { start(1, device_1); });
  start(0, device_0);
}

TEST_F(NcclFaults, OneGpuForTwoRanksIsRefusedOnAll) {
  expect_refusal(3, 3, ExitCode::unavailable, "the same GPU");
  EXPECT_EQ(nccl_double::handles_left(), 0U);
}

TEST_F(NcclFaults, AGpuThatIsNotThereIsRefusedOnAll) {
  expect_refusal(0, 8, ExitCode::config, "there is no GPU 8");
}

}  // namespace
}  // namespace polyhead::comm
