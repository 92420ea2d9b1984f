#include "polyhead/run/looks.hpp"

#include <gtest/gtest.h>

#include "../config/helpers.hpp"
#include "polyhead/config/load.hpp"

namespace polyhead::run {
namespace {

/// What the configuration reader makes of the advice.
std::int64_t allowed_by(const std::string& advice, std::int64_t samples) {
  const std::string value = advice.substr(advice.find(": ") + 2);
  return config::parse(config::kSmall, "e.yaml", "/", {"data.max_bad=" + value})
      .config.data.max_bad.of(samples);
}

TEST(SmallestMaxBad, PassesAndNoSmallerOneDoes) {
  for (const std::int64_t samples :
       {1, 2, 3, 7, 30, 64, 99, 999, 1000, 1001, 5000, 50'000, 1'281'167, 99'999'999}) {
    for (const std::int64_t bad : {1, 2, 5}) {
      if (bad > samples) continue;
      EXPECT_EQ(allowed_by(smallest_max_bad(bad, samples), samples), bad) << bad << " of " << samples;
    }
  }
}

TEST(SmallestMaxBad, IsWrittenAsTheConfigurationWantsIt) {
  EXPECT_EQ(smallest_max_bad(7, 100), "data.max_bad: 7");
  EXPECT_EQ(smallest_max_bad(1, 30), "data.max_bad: 3.4%");
  EXPECT_EQ(smallest_max_bad(1, 5000), "data.max_bad: 0.020%");
  EXPECT_EQ(smallest_max_bad(1, 1), "data.max_bad: 100%");
}

}  // namespace
}  // namespace polyhead::run
