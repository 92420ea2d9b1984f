#include "polyhead/metrics/accuracy.hpp"

#include <fstream>
#include <random>
#include <vector>

#include <gmock/gmock.h>

#include "../support.hpp"

namespace polyhead::metrics {
namespace {

using polyhead::testing::error_of;
using ::testing::HasSubstr;

constexpr std::size_t kHeads = 3;

struct Samples {
  std::vector<std::int32_t> labels, fused, heads;
  std::vector<std::uint8_t> status;

  void add_to(AccuracyCounts& counts, std::size_t first, std::size_t count) const {
    counts.add(std::span(labels).subspan(first, count), std::span(fused).subspan(first, count),
               std::span(heads).subspan(first * kHeads, count * kHeads),
               std::span(status).subspan(first, count));
  }
};

Samples random_samples(std::size_t count) {
  std::mt19937 random(3);
  Samples samples;
  for (std::size_t i = 0; i < count; ++i) {
    samples.labels.push_back(static_cast<std::int32_t>(random() % 5) - 1);
    samples.status.push_back(static_cast<std::uint8_t>(random() % 3));
    samples.fused.push_back(static_cast<std::int32_t>(random() % 4));
    for (std::size_t k = 0; k < kHeads; ++k) samples.heads.push_back(static_cast<std::int32_t>(random() % 4));
  }
  return samples;
}

TEST(AccuracyCounts, CountsByHand) {
  AccuracyCounts counts(2);
  const std::vector<std::int32_t> labels{0, 1, 2, -1, 1, 1};
  const std::vector<std::int32_t> fused{0, 1, 0, -1, -1, 1};
  const std::vector<std::int32_t> heads{0, 1, 0, 1, 2, 2, -1, -1, -1, -1, 1, 1};
  const std::vector<std::uint8_t> status{1, 1, 1, 1, 2, 0};  // then unlabelled, quarantined, pending
  counts.add(labels, fused, heads, status);
  EXPECT_EQ(counts.labelled(), 3);
  EXPECT_EQ(counts.quarantined(), 1);
  EXPECT_EQ(counts.correct(), 2);
  EXPECT_EQ(counts.head_correct(0), 2);
  EXPECT_EQ(counts.head_correct(1), 2);
}

TEST(AccuracyCounts, AgreeWithScikitLearn) {
  const polyhead::testing::TemporaryFolder folder;
  const Samples samples = random_samples(500);
  AccuracyCounts counts(kHeads);
  samples.add_to(counts, 0, 500);
  std::ofstream file(folder / "rows.csv");
  for (std::size_t i = 0; i < 500; ++i) {
    file << fmt::format("{},{},{},{},{},{}\n", samples.labels[i], samples.status[i], samples.fused[i],
                        samples.heads[3 * i], samples.heads[3 * i + 1], samples.heads[3 * i + 2]);
  }
  file.close();
  const std::string arguments =
      fmt::format("'{}' {} {} {} {} {}", (folder / "rows.csv").string(), counts.correct(), counts.labelled(),
                  counts.head_correct(0), counts.head_correct(1), counts.head_correct(2));
  EXPECT_EQ(polyhead::testing::run_python("metrics/oracle.py", arguments), 0);
}

TEST(AccuracyCounts, AreTheSameInAnySplit) {
  const Samples samples = random_samples(200);
  AccuracyCounts whole(kHeads);
  samples.add_to(whole, 0, 200);
  for (const std::size_t cut : {0, 1, 77, 200}) {
    AccuracyCounts left(kHeads);
    AccuracyCounts right(kHeads);
    samples.add_to(left, 0, cut);
    samples.add_to(right, cut, 200 - cut);
    right.merge(left);
    EXPECT_EQ(right.labelled(), whole.labelled());
    EXPECT_EQ(right.quarantined(), whole.quarantined());
    EXPECT_EQ(right.correct(), whole.correct());
    for (std::int64_t k = 0; k < right.heads(); ++k) EXPECT_EQ(right.head_correct(k), whole.head_correct(k));
  }
}

TEST(AccuracyCounts, RefuseWhatDoesNotFitTogether) {
  AccuracyCounts counts(2);
  const std::vector<std::int32_t> two{0, 1};
  const std::vector<std::uint8_t> states{1, 1};
  const auto [code, message] = error_of([&] { counts.add(two, two, two, states); });
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_THAT(message, HasSubstr("2 labels, but 2 predictions, 2 states and 2 predictions of 2 heads"));
  EXPECT_THAT(error_of([&] { counts.merge(AccuracyCounts(3)); }).second,
              HasSubstr("counts of 2 and of 3 heads cannot be merged"));
}

TEST(Bounds, AreWorstAndBestCase) {
  const AccuracyBounds some = bounds(89, 98, 2);
  EXPECT_DOUBLE_EQ(some.worst, 0.89);
  EXPECT_DOUBLE_EQ(some.best, 0.91);
  const AccuracyBounds exact = bounds(9, 10, 0);
  EXPECT_DOUBLE_EQ(exact.worst, 0.9);
  EXPECT_DOUBLE_EQ(exact.best, 0.9);
  EXPECT_EQ(bounds(0, 0, 0).worst, 0);
  EXPECT_EQ(bounds(0, 0, 0).best, 1);
}

}  // namespace
}  // namespace polyhead::metrics
