#include "run/setup/bad_samples.hpp"

#include <gmock/gmock.h>

#include "polyhead/config/load.hpp"

namespace polyhead::run {
namespace {

/// What the configuration makes of the option: so many of the samples.
std::int64_t allowed(const std::string& value, std::int64_t samples) {
  const std::string text =
      "data: {path: d.h5}\nbackbone: {weights: b.pth}\nheads: [{weights: a.pth, layers: "
      "[linear 2]}]\noutput: {path: o.h5}\n";
  return config::parse(text, "job.yaml", ".", {"data.max_bad=" + value}).config.data.max_bad.of(samples);
}

TEST(MaxBadFor, IsReadAsThatNumberOfSamples) {
  for (const std::int64_t samples : {1, 2, 3, 7, 96, 1000, 50'000, 1'281'167}) {
    for (const std::int64_t count : {0, 1, 2, 3, 96, 999}) {
      if (count > samples) continue;
      EXPECT_EQ(allowed(max_bad_for(count, samples), samples), count)
          << max_bad_for(count, samples) << " of " << samples;
    }
  }
}

TEST(MaxBadFor, IsShort) {
  EXPECT_EQ(max_bad_for(18, 1000), "18");
  EXPECT_EQ(max_bad_for(1, 96), "0.02");
  EXPECT_EQ(max_bad_for(1, 1'000'000), "0.000001");
  EXPECT_EQ(max_bad_for(1, 1), "100%");
  EXPECT_EQ(max_bad_for(40, 40), "100%");
}

TEST(ExpectedBad, GoesOnAtTheSameRate) {
  EXPECT_EQ(expected_bad({5, 40, 40}), 5);
  EXPECT_EQ(expected_bad({5, 20, 40}), 10);
  EXPECT_EQ(expected_bad({2, 33, 96}), 6);  // 5.8
  EXPECT_EQ(expected_bad({3, 3, 40}), 40);
  EXPECT_EQ(expected_bad({3, 0, 40}), 3);
  EXPECT_EQ(expected_bad({2, 3, 3}), 2);
}

TEST(TooManyBad, KnowsWithWhatTheNextRunGoesOn) {
  const TooManyBad error("too many", {5, 20, 40});
  EXPECT_EQ(error.option(), "--set data.max_bad=10");
  EXPECT_EQ(error.code(), ExitCode::bad_data);
}

}  // namespace
}  // namespace polyhead::run
