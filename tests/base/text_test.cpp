#include "polyhead/base/text.hpp"

#include <gtest/gtest.h>

namespace polyhead {
namespace {

TEST(Closest, FindsTheNearestWord) {
  EXPECT_EQ(closest("wieghts", {"arch", "weights", "precision"}), "weights");
  EXPECT_EQ(closest("linaer", {"linear", "relu"}), "linear");
  EXPECT_EQ(closest("x", {"y"}), "y");
  EXPECT_EQ(closest("KB", {"TB", "kB"}), "kB");
  EXPECT_EQ(closest("rnu", {"plan", "run", "check"}), "run");  // two letters that have changed places
  EXPECT_EQ(closest("urn", {"plan", "run"}), "run");
  EXPECT_EQ(closest("nur", {"plan", "run"}), std::nullopt);
}

TEST(Closest, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(closest("batchnorm", {"relu", "tanh"}), std::nullopt);
  EXPECT_EQ(closest("", {"a"}), std::nullopt);
  EXPECT_EQ(closest(std::string(10'000, 'a'), {"a"}), std::nullopt);
}

TEST(Human, Bytes) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1536), "1.5 KiB");
  EXPECT_EQ(human_bytes(std::uint64_t{16} << 30U), "16.0 GiB");
}

TEST(Human, Seconds) {
  EXPECT_EQ(human_seconds(4.25), "4.2 s");
  EXPECT_EQ(human_seconds(65.2), "1:05");
  EXPECT_EQ(human_seconds(3725.4), "1:02:05");
  EXPECT_EQ(human_seconds(-1), "?");
  EXPECT_EQ(fine_seconds(4.25), "4.2 s");
  EXPECT_EQ(fine_seconds(0.02541), "25.4 ms");
  EXPECT_EQ(fine_seconds(5e-5), "50 us");
  EXPECT_EQ(fine_seconds(-1), "?");
}

TEST(Counted, HasTheRightPlural) {
  EXPECT_EQ(counted(1, "rank"), "1 rank");
  EXPECT_EQ(counted(0, "rank"), "0 ranks");
  EXPECT_EQ(counted(3, "micro-batch"), "3 micro-batches");
}

TEST(Join, PutsSeparatorsBetweenOnly) {
  EXPECT_EQ(join({}), "");
  EXPECT_EQ(join({"a"}), "a");
  EXPECT_EQ(join({"a", "b"}), "a, b");
}

}  // namespace
}  // namespace polyhead
