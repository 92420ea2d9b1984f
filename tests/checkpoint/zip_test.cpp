#include "polyhead/checkpoint/zip.hpp"

#include <gmock/gmock.h>

#include "support.hpp"
#include "zip_writer.hpp"

namespace polyhead::checkpoint {
namespace {

using ::testing::HasSubstr;
using testing::zip;

std::string contents(const ZipReader& reader, const std::string& name) {
  const auto* record = reader.find(name);
  const auto bytes = reader.contents(name, *record);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(ZipReader, ReadsStoredEntries) {
  const testing::TemporaryFolder folder;
  const std::string large(3'000'001, 'x');
  const ZipReader reader(folder.write("a.zip", zip({{"a", "first"}, {"b/c", large}, {"empty", ""}})));
  EXPECT_EQ(reader.records().size(), 3U);
  EXPECT_EQ(contents(reader, "a"), "first");
  EXPECT_EQ(contents(reader, "b/c"), large);
  EXPECT_EQ(contents(reader, "empty"), "");
  EXPECT_EQ(reader.find("d"), nullptr);
}

TEST(ZipReader, ChecksTheChecksumWhereThereIsOne) {
  const testing::TemporaryFolder folder;
  std::string bytes = zip({{"a", "first"}});
  bytes[bytes.find("first")] = 'F';
  const auto path = folder.write("a.zip", bytes);
  const ZipReader reader(path);
  const auto [code, text] = testing::error_of([&] { return contents(reader, "a"); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_EQ(text, path.string() + ": is damaged: the checksum of entry 'a' does not match its bytes");
  std::string unchecked = zip({{"a", "first", false}});
  unchecked[unchecked.find("first")] = 'F';
  EXPECT_EQ(contents(ZipReader(folder.write("b.zip", unchecked)), "a"), "First");
}

/// What opening these bytes and reading the entry "a" says.
std::string refusal(const std::string& bytes) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write("bad.zip", bytes);
  const auto [code, text] = testing::error_of([&] { return contents(ZipReader(path), "a"); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr(path.string()));
  return text;
}

TEST(ZipReader, RefusesDamagedFiles) {
  const std::string good = zip({{"a", "first"}});
  EXPECT_THAT(refusal(good.substr(0, good.size() - 1)), HasSubstr("without its end: is it truncated?"));
  EXPECT_THAT(refusal(good.substr(30)), HasSubstr("its directory lies outside it"));
  EXPECT_THAT(refusal(zip({{"a", "first", true, 1}})), HasSubstr("entry 'a' is encrypted: unpack"));
  EXPECT_THAT(refusal(zip({{"a", "first", true, 0, 12}})),
              HasSubstr("entry 'a' is compressed by a method other than deflate: pack the file again"));
  EXPECT_THAT(refusal(zip({{"a", "first", true, 0, 8}})),
              HasSubstr("entry 'a' is damaged: its compressed bytes are damaged"));
  EXPECT_THAT(refusal(zip({{"a", "1"}, {"a", "2"}})), HasSubstr("entry 'a' has two sizes or is there twice"));
  EXPECT_THAT(refusal(zip({{"a", "1", true, 0, 0, 1'000'000}})), HasSubstr("entry 'a' lies outside it"));
  std::string local = good;
  local[0] = 'X';
  EXPECT_THAT(refusal(local), HasSubstr("entry 'a' lies outside it"));
  std::string entry = good;
  entry[entry.find("PK\x01\x02")] = 'X';
  EXPECT_THAT(refusal(entry), HasSubstr("an entry of its directory is malformed"));
  std::string name = good;
  name[name.find("PK\x01\x02") + 28] = 99;
  EXPECT_THAT(refusal(name), HasSubstr("its directory ends within an entry"));
}

/// A zip file whose one entry "a" is deflated (in a block that is stored, RFC 1951) to `size` bytes, as it
/// says.
std::string deflated(const std::string& data, std::uint32_t size) {
  const auto length = static_cast<std::uint16_t>(data.size());
  const std::string packed =
      "\x01" + testing::le(length) + testing::le(static_cast<std::uint16_t>(~length)) + data;
  std::string bytes = zip({{"a", packed, false, 0, 8}});
  bytes.replace(bytes.find("PK\x01\x02") + 24, 4, testing::le(size));
  return bytes;
}

TEST(ZipReader, InflatesAsMuchAsTheDirectorySays) {
  const testing::TemporaryFolder folder;
  EXPECT_EQ(contents(ZipReader(folder.write("a.zip", deflated("first", 5))), "a"), "first");
  EXPECT_THAT(refusal(deflated("first", 4)),
              HasSubstr("entry 'a' is damaged: it holds more bytes than the directory"));
  EXPECT_THAT(refusal(deflated("first", 6)), HasSubstr("entry 'a' is damaged: it ends early"));
  EXPECT_THAT(
      refusal(deflated("first", 0xFFFFFFFE)),
      HasSubstr("entry 'a' would grow from 10 B to 4.0 GiB, as only files made to fill the memory do"));
}

TEST(ZipReader, RefusesAMisplacedZip64Record) {
  const std::string good = zip({{"a", "first"}});
  const std::string end = good.substr(good.size() - 22);
  const auto with_locator = [&](std::uint64_t at) {
    return good.substr(0, good.size() - 22) + "PK\x06\x07" + std::string(4, '\0') + testing::le(at) +
           testing::le(std::uint32_t{1}) + end;
  };
  EXPECT_THAT(refusal(with_locator(~std::uint64_t{0})), HasSubstr("its zip64 record lies outside it"));
  EXPECT_THAT(refusal(with_locator(0)), HasSubstr("its zip64 record is not where it should be"));
}

TEST(ZipReader, MissingFile) {
  const auto [code, text] = testing::error_of([] { return ZipReader("/nowhere/x.pth").file_size(); });
  EXPECT_EQ(code, ExitCode::no_input);
  EXPECT_EQ(text, "/nowhere/x.pth: cannot be read: No such file or directory");
}

}  // namespace
}  // namespace polyhead::checkpoint
