#include <gtest/gtest.h>

#include "example.hpp"
#include "polyhead/store/result_shape.hpp"

namespace polyhead::store {
namespace {

TEST(Layout, CountsTheLastPartialMicroBatch) {
  Layout layout = example::layout();
  EXPECT_EQ(layout.batches(), 13);
  layout.samples = 104;
  EXPECT_EQ(layout.batches(), 13);
  layout.samples = 105;
  EXPECT_EQ(layout.batches(), 14);
  layout.samples = 0;
  EXPECT_EQ(layout.batches(), 0);
}

TEST(Layout, DiffersWhenAnyPartDoes) {
  Layout other = example::layout();
  EXPECT_EQ(other, example::layout());
  other.head_weights[0] = 0.3;
  EXPECT_NE(other, example::layout());
}

}  // namespace
}  // namespace polyhead::store
