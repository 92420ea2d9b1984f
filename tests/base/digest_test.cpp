#include "polyhead/base/digest.hpp"

#include <string>

#include <gtest/gtest.h>

namespace polyhead {
namespace {

std::span<const std::byte> bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

TEST(Hasher, MatchesXxh128sum) {
  // printf '' | xxh128sum ; printf 'polyhead' | xxh128sum
  EXPECT_EQ(Hasher().digest().hex(), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(Hasher().update(bytes("polyhead")).digest().hex(), "6604294dfbf0480fa557f1fe022f71d0");
}

TEST(Hasher, DoesNotDependOnPieces) {
  EXPECT_EQ(Hasher().update(bytes("poly")).update(bytes("head")).digest(),
            Hasher().update(bytes("polyhead")).digest());
}

TEST(Hasher, TextsKeepTheirBorders) {
  EXPECT_NE(Hasher().update(std::string_view("ab")).update(std::string_view("c")).digest(),
            Hasher().update(std::string_view("a")).update(std::string_view("bc")).digest());
}

}  // namespace
}  // namespace polyhead
