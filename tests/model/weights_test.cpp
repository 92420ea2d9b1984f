#include "polyhead/model/weights.hpp"

#include <gmock/gmock.h>

#include "polyhead/base/wire.hpp"
#include "support.hpp"

namespace polyhead::model {
namespace {

using ::testing::HasSubstr;

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

TEST(Weights, LayoutGoesOverTheWire) {
  Weights back = Weights::layout_from_wire(sample().layout_to_wire());
  EXPECT_EQ(back.feature_width, 512);
  EXPECT_EQ(back.classes, 2);
  ASSERT_EQ(back.values.size(), 32U);
  EXPECT_EQ(back.values.front(), 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(back.values.data()) % kAlignment, 0U);
  back.values = sample().values;
  EXPECT_EQ(back.digest(), sample().digest());
}

std::string refusal(const std::vector<std::byte>& bytes) {
  const auto [code, text] = testing::error_of([&] { return Weights::layout_from_wire(bytes); });
  EXPECT_EQ(code, ExitCode::internal);
  return text;
}

std::string refusal_of(void (*change)(Weights&)) {
  Weights weights = sample();
  change(weights);
  return refusal(weights.layout_to_wire());
}

TEST(Weights, MalformedLayoutsAreRefused) {
  const std::vector<std::byte> good = sample().layout_to_wire();
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_THAT(refusal({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)}),
                HasSubstr("too short"));
  }
  std::vector<std::byte> longer = good;
  longer.push_back(std::byte{0});
  EXPECT_THAT(refusal(longer), HasSubstr("malformed: it is too long"));
  EXPECT_THAT(refusal_of([](Weights& w) { w.parameters[1].offset = 17; }),
              HasSubstr("heads.0.0.bias [2] at 17"));
  EXPECT_THAT(refusal_of([](Weights& w) { w.parameters[1].offset = 0; }),
              HasSubstr("heads.0.0.bias [2] at 0"));
  EXPECT_THAT(refusal_of([](Weights& w) { w.parameters[1].offset = 32; }), HasSubstr("at 32"));
  EXPECT_THAT(refusal_of([](Weights& w) { w.parameters[0].offset = -16; }), HasSubstr("at -16"));
  EXPECT_THAT(refusal_of([](Weights& w) { w.parameters[1].shape = {17}; }), HasSubstr("[17] at 16"));
  EXPECT_THAT(refusal_of([](Weights& w) { w.parameters[1].shape = {-1}; }), HasSubstr("[-1] at 16"));
  EXPECT_THAT(refusal_of([](Weights& w) { w.parameters[0].shape = {INT64_MAX, 4}; }), HasSubstr("at 0"));
  EXPECT_THAT(refusal_of([](Weights& w) { w.values.resize(48); }), HasSubstr("the number of values"));
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
