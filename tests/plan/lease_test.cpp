#include "polyhead/plan/lease.hpp"

#include <random>

#include <gtest/gtest.h>

#include "polyhead/plan/micro_batches.hpp"
#include "simulation.hpp"

namespace polyhead::plan {
namespace {

using testing::constant;
using testing::ideal_seconds;
using testing::Outcome;
using testing::Simulation;

constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::max();
constexpr double kRounding = 1e-6;

void expect_each_once(const Outcome& outcome, std::int64_t micro_batches, std::int64_t unit) {
  std::int64_t expected = 0;
  for (const Lease& lease : outcome.leases) {
    ASSERT_EQ(lease.first, expected);
    ASSERT_GE(lease.count, 1);
    expected += lease.count;
    ASSERT_TRUE(lease.count % unit == 0 || expected == micro_batches);
  }
  ASSERT_EQ(expected, micro_batches);
  ASSERT_EQ(std::accumulate(outcome.done.begin(), outcome.done.end(), std::int64_t{0}), micro_batches);
}

Outcome simulate(std::int64_t micro_batches, std::int64_t unit, const std::vector<double>& speeds) {
  const auto takers = static_cast<int>(speeds.size());
  Outcome outcome =
      Simulation(LeaseSchedule(micro_batches, takers, unit), takers, unit, constant(speeds)).run();
  expect_each_once(outcome, micro_batches, unit);
  return outcome;
}

/// Micro-batches and unit.
class UnequalTakers : public ::testing::TestWithParam<std::tuple<std::int64_t, std::int64_t>> {};

TEST_P(UnequalTakers, OneOfFourIsSlowByFour) {
  const auto [steps, unit] = GetParam();
  const std::int64_t batches = steps * unit;
  const Outcome outcome = simulate(batches, unit, {1, 1, 1, 0.25});
  EXPECT_LE(outcome.seconds, 1.15 * static_cast<double>(batches) / 3.25);
}

TEST_P(UnequalTakers, HalfAsFastGetsHalfTheWork) {
  const auto [steps, unit] = GetParam();
  const Outcome outcome = simulate(steps * unit, unit, {1, 0.5});
  EXPECT_LE(std::abs(outcome.done[0] - 2 * outcome.done[1]), 2 * unit);
}
INSTANTIATE_TEST_SUITE_P(StepsAndUnits, UnequalTakers,
                         ::testing::Combine(::testing::Values(64, 65, 100, 128, 512, 5000),
                                            ::testing::Values(1, 2, 3, 8)));

// A taker's first two leases are granted before anything is known of it: nothing ends before the slowest has
// computed two units. What comes later is guided: one step of the fastest is all that may be lost.
TEST(LeaseSchedule, AnyConstantSpeeds) {
  std::mt19937 dice(5);
  for (int round = 0; round < 2000; ++round) {
    const auto unit = static_cast<std::int64_t>(1 + dice() % 8);
    const auto batches = static_cast<std::int64_t>(64 + dice() % 4937);
    const double spread = std::pow(10.0, -static_cast<double>(dice() % 3));  // up to a factor of 100
    std::vector<double> speeds(1 + dice() % 64);
    for (double& speed : speeds) speed = std::pow(spread, static_cast<double>(dice() % 1000) / 1000);
    const double slow_step = static_cast<double>(unit) / *std::ranges::min_element(speeds);
    const double fast_step = static_cast<double>(unit) / *std::ranges::max_element(speeds);
    const Outcome outcome = simulate(batches, unit, speeds);
    ASSERT_LE(outcome.seconds,
              std::max(2 * slow_step, ideal_seconds(batches, unit, speeds) + fast_step) + kRounding)
        << batches << " micro-batches in units of " << unit << ", " << speeds.size() << " takers, round "
        << round;
  }
}

TEST(LeaseSchedule, EqualSpeeds) {
  for (const int takers : {1, 2, 3, 4, 8, 16, 64}) {
    for (const std::int64_t batches : {1, 2, 7, 64, 65, 196, 1563, 5000}) {
      for (const std::int64_t unit : {1, 2, 3, 8}) {
        const std::vector<double> speeds(static_cast<std::size_t>(takers), 1);
        const double ideal = ideal_seconds(batches, unit, speeds);
        ASSERT_LE(simulate(batches, unit, speeds).seconds, ideal + static_cast<double>(unit) + kRounding)
            << takers << " takers, " << batches << " micro-batches, unit " << unit;
      }
    }
  }
}

TEST(LeaseSchedule, StepsOfUnevenLength) {
  std::mt19937 dice(6);
  for (int round = 0; round < 100; ++round) {
    const auto batches = static_cast<std::int64_t>(128 + dice() % 2000);
    const std::vector<double> speeds{1, 0.8, 0.5, 0.25};
    const auto rate = [&](int taker, double) {  // each step takes 0.6 to 1.4 times as long as the mean
      return speeds[static_cast<std::size_t>(taker)] / (0.6 + 0.8 * static_cast<double>(dice() % 1000) / 999);
    };
    const Outcome outcome = Simulation(LeaseSchedule(batches, 4), 4, 1, rate).run();
    expect_each_once(outcome, batches, 1);
    EXPECT_LE(outcome.seconds, 1.15 * static_cast<double>(batches) / 2.55);
  }
}

TEST(LeaseSchedule, ATakerThatSlowsDownMidway) {
  for (const double share : {0.1, 0.25, 0.5, 0.75, 0.9}) {
    constexpr std::int64_t kBatches = 512;
    const double moment = share * kBatches / 4;  // taker 3 is slow by 4 from then on
    const auto rate = [&](int taker, double time) { return taker == 3 && time >= moment ? 0.25 : 1.0; };
    const Outcome outcome = Simulation(LeaseSchedule(kBatches, 4), 4, 1, rate).run();
    expect_each_once(outcome, kBatches, 1);
    EXPECT_LE(outcome.seconds, 1.15 * (moment + (kBatches - 4 * moment) / 3.25)) << share;
  }
}

TEST(LeaseSchedule, SpeedsThatChangeAllTheTime) {
  std::mt19937 dice(7);
  for (int round = 0; round < 200; ++round) {
    const auto takers = static_cast<int>(1 + dice() % 64);
    const auto unit = static_cast<std::int64_t>(1 + dice() % 8);
    const auto batches = static_cast<std::int64_t>(1 + dice() % 5000);
    const auto rate = [&](int, double) {
      return std::pow(100.0, -static_cast<double>(dice() % 1000) / 1000);
    };
    expect_each_once(Simulation(LeaseSchedule(batches, takers, unit), takers, unit, rate).run(), batches,
                     unit);
  }
}

TEST(LeaseSchedule, ThousandsOfTakersAndMillionsOfMicroBatches) {
  const auto rate = [](int taker, double) { return 1.0 + taker % 7; };  // 4 on average
  const Outcome outcome = Simulation(LeaseSchedule(3'000'000, 4096), 4096, 1, rate).run();
  expect_each_once(outcome, 3'000'000, 1);
  EXPECT_LE(outcome.seconds, 1.01 * 3'000'000 / (4096 * 4));
  EXPECT_LE(outcome.leases.size(), 40 * 4096);
}

TEST(LeaseSchedule, LargeFirstSmallAtTheEnd) {
  const std::vector<Lease> leases = simulate(1000, 1, {1, 1}).leases;
  EXPECT_EQ(leases.front().count, 1);  // nothing is known yet
  const auto largest = std::ranges::max_element(leases, {}, &Lease::count);
  EXPECT_GE(largest->count, 100);
  EXPECT_TRUE(std::is_sorted(largest, leases.end(),
                             [](const Lease& a, const Lease& b) { return a.count > b.count; }));
  EXPECT_EQ(leases.back().count, 1);
  EXPECT_LE(leases.size(), 50);
}

TEST(LeaseSchedule, ALeaseIsNoMoreThanWhatItsTakerHasFinished) {
  LeaseSchedule schedule(1000, 1, 3);
  EXPECT_EQ(schedule.next(0, 0), (Lease{0, 3}));
  EXPECT_EQ(schedule.next(0, 0), (Lease{3, 3}));
  schedule.finished(0, 3, 1);
  EXPECT_EQ(schedule.next(0, 1), (Lease{6, 3}));
  schedule.finished(0, 3, 2);
  EXPECT_EQ(schedule.next(0, 2), (Lease{9, 6}));
}

TEST(LeaseSchedule, ATakerThatNeverReportsGetsUnitsAndDelaysNobody) {
  LeaseSchedule schedule(1000, 2, 4);
  schedule.next(0, 0);
  double now = 0;
  while (schedule.left() > 0) {
    now += 1;
    schedule.finished(0, 4, now);
    ASSERT_TRUE(schedule.next(0, now));
    if (schedule.left() == 0) break;
    const auto lease = schedule.next(1, now);
    ASSERT_TRUE(lease);
    EXPECT_LE(lease->count, 4);
  }
}

/// One step of a taker of one micro-batch a second that keeps the protocol: asks when one is under way.
class SteadyTaker {
 public:
  SteadyTaker(LeaseSchedule& schedule, int taker) : schedule_(schedule), taker_(taker) {}
  /// False when it asked and got nothing.
  bool step(double end) {
    const bool granted = under_way_ > 1 || ask(end - 1);
    schedule_.finished(taker_, 1, end);
    --under_way_;
    return granted;
  }
  bool ask(double now) {
    const auto lease = schedule_.next(taker_, now);
    under_way_ += lease.value_or(Lease{}).count;
    return lease.has_value();
  }

 private:
  LeaseSchedule& schedule_;
  int taker_;
  std::int64_t under_way_ = 0;
};

TEST(LeaseSchedule, ATakerThatIsNeverHeardOfAgainIsNotReliedOn) {
  LeaseSchedule schedule(1000, 2);
  for (int i = 0; i < 2; ++i) schedule.next(1, 0);
  schedule.finished(1, 1, 0.01);  // a hundred a second, then silence
  SteadyTaker taker(schedule, 0);
  taker.ask(0);
  for (double now = 1; schedule.left() > 0; ++now)
    ASSERT_TRUE(taker.step(now)) << schedule.left() << " are left";
}

TEST(LeaseSchedule, WhoIsTooSlowIsSentAwayAndTheLastTakerGetsAllThatIsLeft) {
  LeaseSchedule schedule(64, 2);
  for (int i = 0; i < 2; ++i) schedule.next(1, 0);
  SteadyTaker taker(schedule, 0);
  taker.ask(0);
  for (double now = 1; now <= 30; ++now) ASSERT_TRUE(taker.step(now));
  schedule.finished(1, 1, 30);
  // Taker 1 would end one more at 90 s; taker 0 ends all the others at 62 s.
  EXPECT_GT(schedule.left(), 5);
  EXPECT_EQ(schedule.next(1, 30), std::nullopt);
  EXPECT_EQ(schedule.next(1, 1e6), std::nullopt);  // for good
  taker.step(1e6);                                 // however slow the last one has become
  for (double now = 1e6 + 1; schedule.left() > 0; ++now) ASSERT_TRUE(taker.step(now));
  EXPECT_EQ(schedule.next(0, 2e6), std::nullopt);
}

TEST(LeaseSchedule, NeverHandsOutMoreThanAllowed) {
  const std::vector<double> speeds{1, 1};
  const Outcome outcome = Simulation(LeaseSchedule(1000, 2, 4, 50), 2, 4, constant(speeds)).run();
  expect_each_once(outcome, 1000, 4);
  EXPECT_EQ(std::ranges::max_element(outcome.leases, {}, &Lease::count)->count, 48);  // in whole units
  // A unit is handed out even where it is more.
  EXPECT_EQ(LeaseSchedule(1000, 2, 8, 3).next(0, 0), (Lease{0, 8}));
}

TEST(LeaseSchedule, TheLastLeaseMayBeShorterThanAUnit) {
  LeaseSchedule schedule(10, 1, 8);
  EXPECT_EQ(schedule.next(0, 0), (Lease{0, 8}));
  EXPECT_EQ(schedule.left(), 2);
  EXPECT_EQ(schedule.next(0, 0), (Lease{8, 2}));
  EXPECT_EQ(schedule.next(0, 0), std::nullopt);
}

TEST(LeaseSchedule, NothingToDo) {
  EXPECT_EQ(LeaseSchedule(0, 2).next(1, 0), std::nullopt);
}

TEST(LeaseSchedule, SizesFromOutside) {
  std::mt19937 dice(8);
  const auto sizes = [&] { return static_cast<std::int64_t>(dice() % 40); };  // 0 counts as a unit
  const Outcome outcome =
      Simulation(LeaseSchedule(1001, 3, 2, kAny, sizes), 3, 2, constant({1, 0.1, 0.01})).run();
  expect_each_once(outcome, 1001, 2);
  const auto range = std::ranges::minmax_element(outcome.leases, {}, &Lease::count);
  EXPECT_LT(range.min->count, 5);
  EXPECT_GT(range.max->count, 30);
}

std::vector<std::uint8_t> random_ledger(std::mt19937& dice) {
  std::vector<std::uint8_t> ledger(dice() % 400);
  const auto length = 1 + dice() % 30;  // of a run of equal bytes, at most
  for (std::size_t i = 0; i < ledger.size();) {
    const auto byte = static_cast<std::uint8_t>(dice() % 2);
    for (auto left = 1 + dice() % length; left > 0 && i < ledger.size(); --left) ledger[i++] = byte;
  }
  return ledger;
}

TEST(LeaseSchedule, OfAnyLedgerEveryMissingMicroBatchIsHandedOutOnce) {
  std::mt19937 dice(10);
  for (int round = 0; round < 2000; ++round) {
    const std::vector<std::uint8_t> ledger = random_ledger(dice);
    const auto unit = static_cast<std::int64_t>(1 + dice() % 8);
    const auto takers = static_cast<int>(1 + dice() % 8);
    const auto rate = [&](int, double) {
      return std::pow(100.0, -static_cast<double>(dice() % 1000) / 1000);
    };
    Simulation simulation(LeaseSchedule(missing_in(ledger), takers, unit), takers, unit, rate);
    const Outcome outcome = round % 2 == 0 ? simulation.run() : std::move(simulation).open().run();
    std::vector<int> handed_out(ledger.size());
    for (const Lease& lease : outcome.leases) {
      ASSERT_GE(lease.count, 1);
      for (std::int64_t i = 0; i < lease.count; ++i)
        ++handed_out.at(static_cast<std::size_t>(lease.first + i));
      const auto end = static_cast<std::size_t>(lease.first + lease.count);
      ASSERT_TRUE(lease.count % unit == 0 || end == ledger.size() || ledger[end] == 1) << "round " << round;
    }
    for (std::size_t i = 0; i < ledger.size(); ++i)
      ASSERT_EQ(handed_out[i], 1 - ledger[i]) << "round " << round << ", micro-batch " << i;
  }
}

TEST(LeaseSchedule, ALeaseLiesWithinOneRun) {
  LeaseSchedule schedule({{2, 3}, {9, 1}, {20, 10}}, 1, 2);
  EXPECT_EQ(schedule.left(), 14);
  EXPECT_EQ(schedule.next(0, 0), (Lease{2, 2}));
  EXPECT_EQ(schedule.next(0, 0), (Lease{4, 1}));
  EXPECT_EQ(schedule.next(0, 0), (Lease{9, 1}));
  EXPECT_EQ(schedule.next(0, 0), (Lease{20, 2}));
  EXPECT_EQ(schedule.left(), 8);
}

TEST(LeaseSchedule, OpensWithAUnitForEachTakerWhileThereAreSome) {
  LeaseSchedule schedule({{2, 3}, {9, 1}, {20, 10}}, 3, 2);
  EXPECT_EQ(schedule.open(0), (std::vector<Lease>{{2, 2}, {4, 1}, {9, 1}}));
  EXPECT_EQ(schedule.left(), 10);
  EXPECT_EQ(schedule.next(0, 0), (Lease{20, 2}));  // the second one is unseen, too
  EXPECT_EQ(LeaseSchedule(5, 4, 2).open(0), (std::vector<Lease>{{0, 2}, {2, 2}, {4, 1}, {0, 0}}));
  EXPECT_EQ(LeaseSchedule(0, 2).open(0), (std::vector<Lease>(2)));
  const auto sizes = [] { return std::int64_t{7}; };
  EXPECT_EQ(LeaseSchedule(100, 2, 3, 1, sizes).open(0), (std::vector<Lease>{{0, 3}, {3, 3}}));
}

TEST(LeaseSchedule, WhoOpensWithNothingIsSentAway) {
  LeaseSchedule schedule(1, 2);
  schedule.open(0);
  EXPECT_EQ(schedule.next(1, 0), std::nullopt);
  schedule.finished(0, 1, 1);
  EXPECT_EQ(schedule.next(0, 1), std::nullopt);
}

/// When it is handed out does not change what each taker begins with.
TEST(LeaseSchedule, OpensWithWhatTheFirstQuestionsWouldGet) {
  std::mt19937 dice(13);
  for (int round = 0; round < 500; ++round) {
    const std::vector<Lease> work = missing_in(random_ledger(dice));
    const auto unit = static_cast<std::int64_t>(1 + dice() % 8);
    const auto takers = static_cast<int>(1 + dice() % 64);
    LeaseSchedule asked(work, takers, unit);
    std::vector<Lease> expected;
    for (int taker = 0; taker < takers; ++taker) expected.push_back(asked.next(taker, 0).value_or(Lease{}));
    ASSERT_EQ(LeaseSchedule(work, takers, unit).open(5), expected) << "round " << round;
  }
}

// Each run may end in a step that is not full, which also makes its taker look slow; that costs a step.
TEST(LeaseSchedule, GapsCostNoMoreThanTheirShortSteps) {
  std::mt19937 dice(11);
  for (int round = 0; round < 200; ++round) {
    const std::vector<Lease> runs = missing_in(random_ledger(dice));
    const auto unit = static_cast<std::int64_t>(1 + dice() % 8);
    std::int64_t steps = 0;
    for (const Lease& run : runs) steps += (run.count + unit - 1) / unit;
    const std::vector<double> speeds(1 + dice() % 8, 1.0);
    const auto takers = static_cast<int>(speeds.size());
    const double seconds =
        Simulation(LeaseSchedule(runs, takers, unit), takers, unit, constant(speeds)).run().seconds;
    ASSERT_LE(seconds, ideal_seconds(steps * unit, unit, speeds) + 2 * static_cast<double>(unit) + kRounding)
        << "round " << round;
  }
}

TEST(MissingIn, GivesRunsOfNeighbours) {
  const std::vector<std::uint8_t> ledger{0, 0, 1, 0, 1, 1, 0, 0, 0};
  EXPECT_EQ(missing_in(ledger), (std::vector<Lease>{{0, 2}, {3, 1}, {6, 3}}));
  EXPECT_TRUE(missing_in(std::vector<std::uint8_t>(5, 1)).empty());
  EXPECT_TRUE(missing_in({}).empty());
}

TEST(MicroBatches, CutTheSamples) {
  const MicroBatches batches(70, 32);
  EXPECT_EQ(batches.count(), 3);
  EXPECT_EQ(batches.samples_of(0), (SampleRange{0, 32}));
  EXPECT_EQ(batches.samples_of(2), (SampleRange{64, 6}));
}

TEST(MicroBatches, WithoutRemainder) {
  const MicroBatches batches(64, 32);
  EXPECT_EQ(batches.count(), 2);
  EXPECT_EQ(batches.samples_of(1), (SampleRange{32, 32}));
}

}  // namespace
}  // namespace polyhead::plan
