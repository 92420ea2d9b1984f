#include "polyhead/store/rows.hpp"

#include <cstring>

#include <gmock/gmock.h>

#include "example.hpp"

namespace polyhead::store {
namespace {

using polyhead::testing::error_of;
using ::testing::HasSubstr;

TEST(Rows, ComeBackFromTheWireBitForBit) {
  const Rows sent = example::rows(example::layout(), 2);  // sample 16 has NaN
  const Rows received = Rows::from_wire(sent.to_wire());
  EXPECT_EQ(received.batch, 2);
  EXPECT_EQ(received.count, 8);
  ASSERT_EQ(received.fused_scores.size(), sent.fused_scores.size());
  EXPECT_EQ(std::memcmp(received.fused_scores.data(), sent.fused_scores.data(), sent.fused_scores.size() * 4),
            0);
  EXPECT_EQ(received.fused_prediction, sent.fused_prediction);
  EXPECT_EQ(received.head_prediction, sent.head_prediction);
  EXPECT_EQ(received.head_scores, sent.head_scores);
  EXPECT_EQ(received.status, sent.status);
  EXPECT_EQ(received.reason, sent.reason);
}

TEST(Rows, RefuseAMessageCutAnywhereOrTooLong) {
  std::vector<std::byte> message = example::rows(example::layout(), 0).to_wire();
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_EQ(error_of([&] { return Rows::from_wire(std::span(message).first(size)); }).first,
              ExitCode::internal);
  }
  message.push_back(std::byte{0});
  EXPECT_THAT(error_of([&] { return Rows::from_wire(message); }).second,
              HasSubstr("does not hold what it says"));
}

TEST(Rows, RefuseColumnsOfAnotherLength) {
  Rows rows = example::rows(example::layout(), 0);
  rows.reason.pop_back();
  EXPECT_EQ(error_of([&] { return Rows::from_wire(rows.to_wire()); }).first, ExitCode::internal);
  rows = example::rows(example::layout(), 0);
  rows.count = -1;
  EXPECT_EQ(error_of([&] { return Rows::from_wire(rows.to_wire()); }).first, ExitCode::internal);
}

}  // namespace
}  // namespace polyhead::store
