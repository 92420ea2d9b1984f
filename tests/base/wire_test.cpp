#include "polyhead/base/wire.hpp"

#include <array>
#include <cstdint>

#include <gtest/gtest.h>

namespace polyhead {
namespace {

TEST(Wire, ReadsBackWhatWasWritten) {
  const std::array<float, 3> numbers{1.5F, -2.0F, 0.0F};
  WireWriter writer;
  writer.put(std::int64_t{-7}).put_array(std::span<const float>(numbers)).put_text("héads").put_text("");
  WireReader reader(writer.bytes());
  EXPECT_EQ(reader.get<std::int64_t>(), -7);
  EXPECT_EQ(reader.get_array<float>(), (std::vector<float>{1.5F, -2.0F, 0.0F}));
  EXPECT_EQ(reader.get_text(), "héads");
  EXPECT_EQ(reader.get_text(), "");
  EXPECT_TRUE(reader.done());
}

TEST(Wire, RefusesToReadPastTheEnd) {
  WireWriter writer;
  writer.put(std::uint8_t{1});
  WireReader reader(writer.bytes());
  EXPECT_THROW(reader.get<std::int32_t>(), Error);
}

TEST(Wire, RefusesACountBeyondTheMessage) {
  WireWriter writer;
  writer.put(SIZE_MAX / 2);
  WireReader reader(writer.bytes());
  EXPECT_THROW(reader.get_array<double>(), Error);
}

}  // namespace
}  // namespace polyhead
