#include "store/extent.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

namespace polyhead::store {
namespace {

TEST(OwnPages, AreThoseThatHoldNothingElse) {
  EXPECT_EQ(own_pages({0, kPage}), (Extent{0, kPage}));
  EXPECT_EQ(own_pages({1, kPage}), (Extent{1, 0}));  // two halves
  EXPECT_EQ(own_pages({1, 2 * kPage - 1}), (Extent{kPage, kPage}));
  EXPECT_EQ(own_pages({1, 2 * kPage - 2}), (Extent{1, 0}));
  EXPECT_EQ(own_pages({3 * kPage, 5 * kPage + 7}), (Extent{3 * kPage, 5 * kPage}));
  EXPECT_EQ(own_pages({4, 0}), (Extent{4, 0}));
  EXPECT_EQ(own_pages({kPage, 0}), (Extent{kPage, 0}));
}

/// Rows of any width, cut into micro-batches anywhere: no page belongs to two, and only edges belong to none.
TEST(OwnPages, OfNeighboursAreOthers) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 200; ++round) {
    const std::uint64_t begin = random() % (3 * kPage) * 4;
    std::map<std::uint64_t, int> owners;
    std::uint64_t at = begin;
    for (int batch = 0; batch < 20; ++batch) {
      const Extent extent{at, random() % (4 * kPage) / 4 * 4};
      const Extent own = own_pages(extent);
      EXPECT_GE(own.first, extent.first);
      EXPECT_LE(own.end(), extent.end());
      if (own.count > 0) {
        EXPECT_EQ(own.first % kPage, 0U);
        EXPECT_EQ(own.count % kPage, 0U);
      }
      EXPECT_LT(extent.count - own.count, 2 * kPage);
      for (std::uint64_t page = own.first; page < own.end(); page += kPage) ++owners[page];
      at = extent.end();
    }
    for (const auto& [page, count] : owners) EXPECT_EQ(count, 1) << page;
  }
}

}  // namespace
}  // namespace polyhead::store
