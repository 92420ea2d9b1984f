#include "polyhead/data/location.hpp"

#include <gmock/gmock.h>

#include "../support.hpp"

namespace polyhead::data {
namespace {

using polyhead::testing::error_of;

std::vector<std::byte> sent(const std::vector<Location>& locations) {
  WireWriter writer;
  put_locations(writer, locations);
  return std::move(writer).take();
}

std::vector<Location> received(std::span<const std::byte> bytes) {
  WireReader reader(bytes);
  auto locations = get_locations(reader);
  EXPECT_TRUE(reader.done());
  return locations;
}

TEST(Locations, ArriveAsTheyWereSent) {
  for (const std::vector<Location>& locations : std::vector<std::vector<Location>>{
           {},
           {{"/a"}},
           {{"/a.tar", 512, 10}, {"/b.tar", 0, 7}, {"/a.tar", 1024, 0}, {"/\xFF\n", ~std::uint64_t{0}, 1}},
       }) {
    EXPECT_EQ(received(sent(locations)), locations);
  }
}

TEST(Locations, APathIsSentOnce) {
  const std::vector<Location> one(1, {std::string(1000, 'x'), 1, 2});
  const std::vector<Location> many(100, one[0]);
  EXPECT_LE(sent(many).size(), sent(one).size() + std::size_t{99} * 24);
}

TEST(Locations, RefuseWhatIsNoneOfThem) {
  const auto bytes = sent({{"/a.tar", 512, 10}, {"/b.tar", 0, 7}});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = std::span(bytes).first(size);
    EXPECT_EQ(error_of([&] { return received(cut); }).first, ExitCode::internal) << size;
  }
  auto wrong = bytes;
  wrong[wrong.size() - 24] = std::byte{2};  // the number of the last one's path
  const auto [code, text] = error_of([&] { return received(wrong); });
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_THAT(text, ::testing::HasSubstr("names a path that it does not hold"));
}

}  // namespace
}  // namespace polyhead::data
