#include "polyhead/model/layout.hpp"

#include <gmock/gmock.h>

#include "../checkpoint/support.hpp"

namespace polyhead::model {
namespace {

using ::testing::ElementsAre;
using testing::layer;
using testing::linear;

config::Config with_heads(const std::vector<std::vector<config::Layer>>& heads) {
  config::Config config;
  for (const auto& layers : heads) {
    config.heads.push_back(testing::head_of(fmt::format("h{}", config.heads.size()), layers));
  }
  return config;
}

TEST(Layout, PacksBackboneAndHeadsAligned) {
  const Layout layout =
      make_layout(with_heads({{linear(3)}, {linear(5), layer(config::LayerKind::layernorm), linear(3)}}));
  EXPECT_EQ(layout.feature_width, 512);
  EXPECT_EQ(layout.classes, 3);
  EXPECT_EQ(layout.parameters.front().name, "backbone.conv1.weight");
  EXPECT_THAT(layout.parameters.front().shape, ElementsAre(64, 3, 7, 7));
  EXPECT_EQ(layout.parameters.back().name, "heads.1.2.bias");
  std::int64_t end = 0;
  for (const Parameter& parameter : layout.parameters) {
    EXPECT_EQ(parameter.offset % 64, 0) << parameter.name;
    EXPECT_GE(parameter.offset, end) << parameter.name;
    EXPECT_LT(parameter.offset, end + 64) << parameter.name;
    end = parameter.offset + parameter.elements();
  }
  EXPECT_GE(layout.values, end);
  EXPECT_LT(layout.values, end + 64);
}

TEST(Layout, HeadsMustAgreeOnTheNumberOfClasses) {
  const auto [code, text] = testing::error_of([] {
    return make_layout(with_heads({{linear(10)}, {linear(12)}, {linear(10)}}));
  });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_EQ(
      text,
      "the heads must all give the same number of classes, but their last widths differ: 'h0', 'h2': 10; "
      "'h1': 12");
}

TEST(Layout, LongListsOfHeadsAreCut) {
  std::vector<std::vector<config::Layer>> heads(12, {linear(10)});
  heads.push_back({linear(9)});
  const auto [code, text] = testing::error_of([&] { return make_layout(with_heads(heads)); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, ::testing::HasSubstr("'h9' and 2 more: 10"));
}

TEST(Layout, AbsurdWidthsAreRefused) {
  for (const std::int64_t width : {std::int64_t{1} << 40U, INT64_MAX}) {
    const auto [code, text] = testing::error_of([&] { return make_layout(with_heads({{linear(width)}})); });
    EXPECT_EQ(code, ExitCode::bad_data);
    EXPECT_THAT(text, ::testing::HasSubstr("heads.0.0.weight would have shape ["));
  }
}

TEST(Layout, ARankMayHaveNoHeads) {
  const Layout layout = make_layout(with_heads({}));
  EXPECT_EQ(layout.classes, 0);
  EXPECT_EQ(layout.head_begin, std::vector<std::int64_t>{layout.values});
}

TEST(Layout, HeadsFollowEachOther) {
  const Layout both = make_layout(with_heads({{linear(3)}, {linear(5), linear(3)}}));
  const Layout second = make_layout(with_heads({{linear(5), linear(3)}}));
  ASSERT_EQ(both.head_begin.size(), 3U);
  EXPECT_EQ(both.head_begin.back(), both.values);
  // A rank that has the second head only takes this part of the values as it is.
  EXPECT_EQ(both.head_begin[2] - both.head_begin[1], second.head_begin[1] - second.head_begin[0]);
  EXPECT_EQ(both.head_begin[0], second.head_begin[0]);
}

}  // namespace
}  // namespace polyhead::model
