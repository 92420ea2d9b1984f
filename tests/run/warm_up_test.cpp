#include "run/identity/warm_up.hpp"

#include <algorithm>
#include <thread>

#include <gmock/gmock.h>

#include "polyhead/base/error.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/comm/local.hpp"

namespace polyhead::run {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// Features are the sum of the pixels and `error`; scores the first feature and `error`.
class SumModel final : public model::Model {
 public:
  SumModel(float feature_error, float score_error)
      : feature_error_(feature_error), score_error_(score_error) {}
  void features(std::span<const float> /*pixels*/, std::span<float> /*features*/) override {
    FAIL() << "a GPU gets bytes";
  }
  void features(std::span<const std::uint8_t> bytes, std::span<float> features) override {
    float sum = feature_error_;
    for (const std::uint8_t byte : bytes) sum += byte;
    std::ranges::fill(features, sum);
  }
  void scores(std::span<const float> features, std::span<float> scores) override {
    std::ranges::fill(scores, features[0] + score_error_);
  }

 private:
  float feature_error_;
  float score_error_;
};

WarmUp warmed(float feature_error, float score_error) {
  SumModel model(feature_error, score_error);
  return warm_up(model, 2, {4, 4}, 1, 3, 5);
}

/// What the comparison of these ranks says on each; "" where all is well.
std::vector<std::string> compare(const std::vector<WarmUp>& ranks,
                                 const std::vector<std::string>& fingerprints,
                                 const std::vector<int>& members) {
  comm::LocalWorld world(static_cast<int>(ranks.size()));
  std::vector<std::string> said(ranks.size());
  const std::vector<std::string> hosts{"a", "b", "c"};
  std::vector<std::jthread> threads;
  for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
    threads.emplace_back([&, rank] {
      try {
        compare_warm_ups(*world.collectives(static_cast<int>(rank)), ranks[rank], fingerprints[rank],
                         members[rank], hosts);
      } catch (const comm::AgreedError& error) {
        EXPECT_EQ(error.code(), ExitCode::unavailable);
        said[rank] = error.what();
      }
    });
  }
  threads.clear();
  return said;
}

const std::vector<std::string> kWell(3);
const std::vector<std::string> kOneKind(3, "GPU");

TEST(WarmUp, IsTheSameEachTime) {
  EXPECT_EQ(warmed(0, 0).features, warmed(0, 0).features);
  EXPECT_NE(warmed(0, 0).features, warmed(1, 0).features);
  EXPECT_EQ(warmed(0, 0).features, warmed(0, 1).features);
  EXPECT_NE(warmed(0, 0).scores, warmed(0, 1).scores);
}

TEST(WarmUp, RanksOfOneKindMustAgree) {
  const WarmUp right = warmed(0, 0);
  EXPECT_EQ(compare({right, right, right}, kOneKind, {0, 1, 0}), kWell);
  for (const std::string& said : compare({right, right, warmed(1, 0)}, kOneKind, {0, 1, 0})) {
    EXPECT_THAT(said, AllOf(HasSubstr("rank 2 on c computes other features than rank 0 on a"),
                            HasSubstr("another algorithm")));
  }
  for (const std::string& said : compare({right, right, warmed(0, 1)}, kOneKind, {0, 1, 0}))
    EXPECT_THAT(said, HasSubstr("rank 2 on c computes other scores than rank 0 on a"));
}

TEST(WarmUp, OtherHeadsOtherKindsAndSurplusRanksMayDiffer) {
  const WarmUp right = warmed(0, 0);
  EXPECT_EQ(compare({right, right, warmed(0, 1)}, kOneKind, {0, 0, 1}), kWell) << "other heads";
  EXPECT_EQ(compare({right, right, warmed(1, 1)}, {"GPU", "GPU", "another"}, {0, 0, 0}), kWell);
  EXPECT_EQ(compare({right, right, {}}, kOneKind, {0, 0, -1}), kWell) << "a surplus rank";
}

}  // namespace
}  // namespace polyhead::run
