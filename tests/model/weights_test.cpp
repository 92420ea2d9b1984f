#include "polyhead/model/weights.hpp"

#include <gtest/gtest.h>

#include "../checkpoint/support.hpp"

namespace polyhead::model {
namespace {

Weights sample() {
  Weights weights;
  weights.parameters = {{"backbone.conv1.weight", {2, 3}, 0}, {"heads.0.0.bias", {2}, 16}};
  weights.values.assign(32, 1.5F);
  weights.feature_width = 512;
  weights.classes = 2;
  return weights;
}

TEST(Weights, DigestCoversNamesShapesAndValues) {
  const Digest digest = sample().digest();
  EXPECT_EQ(sample().digest(), digest);
  Weights changed = sample();
  changed.parameters[1].name = "heads.0.1.bias";
  EXPECT_NE(changed.digest(), digest);
  changed = sample();
  changed.parameters[0].shape = {3, 2};
  EXPECT_NE(changed.digest(), digest);
  changed = sample();
  changed.values[17] = 2;
  EXPECT_NE(changed.digest(), digest);
  changed = sample();
  changed.values[7] = 2;  // padding
  EXPECT_EQ(changed.digest(), digest);
}

TEST(Parameter, CountsItsElements) {
  EXPECT_EQ((Parameter{"a", {2, 3}, 0}).elements(), 6);
  EXPECT_EQ((Parameter{"a", {}, 0}).elements(), 1);
  const auto [code, text] = testing::error_of([] { return Parameter{"a", {-1}, 0}.elements(); });
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_EQ(text, "a has shape [-1]");
}

}  // namespace
}  // namespace polyhead::model
