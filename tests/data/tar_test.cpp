#include "data/webdataset/tar.hpp"

#include <random>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "samples.hpp"
#include "tar_writer.hpp"

namespace polyhead::data {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::pax;
using testing::tar_end;
using testing::tar_entry;

using Lines = std::vector<std::string>;

Lines list(const ByteSource& source, const std::string& where = "x.tar") {
  TarReader tar(source, where);
  Lines lines;
  while (const auto entry = tar.next()) {
    lines.push_back(fmt::format("{}\t{}\t{}", entry->offset, entry->size, entry->name));
  }
  return lines;
}

Lines list(const std::string& bytes) {
  return list(MemorySource(std::as_bytes(std::span(bytes))));
}

std::string refusal(const std::string& bytes) {
  const auto [code, text] = error_of([&] { return list(bytes); });
  EXPECT_EQ(code, ExitCode::bad_data);
  return text;
}

/// With a header's checksum made right again.
std::string changed(std::string entry, std::size_t at, const std::string& bytes) {
  entry.replace(at, bytes.size(), bytes);
  entry.replace(148, 8, "        ");
  std::uint32_t sum = 0;
  for (const char c : entry.substr(0, 512)) sum += static_cast<unsigned char>(c);
  entry.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  return entry;
}

TEST(Tar, FindsWhatPythonFinds) {
  const TemporaryFolder folder;
  ASSERT_EQ(
      polyhead::testing::run_python("data/make_tars.py", fmt::format("'{}' 40", folder.path().string())), 0);
  int tars = 0;
  for (const auto& item : std::filesystem::directory_iterator(folder.path())) {
    if (item.path().extension() != ".tar") continue;
    auto expected = item.path();
    expected.replace_extension(".expected");
    EXPECT_EQ(list(FileSource(item.path().string())), testing::lines_of(expected)) << item.path();
    ++tars;
  }
  EXPECT_EQ(tars, 122);
}

TEST(Tar, TheEndMayBeMissing) {
  const std::string entries = tar_entry("a.jpg", "123") + tar_entry("b.jpg", "45");
  const Lines expected{"512\t3\ta.jpg", "1536\t2\tb.jpg"};
  EXPECT_EQ(list(entries), expected);
  EXPECT_EQ(list(entries + std::string(512, '\0')), expected);
  EXPECT_EQ(list(entries + std::string(100, '\0')), expected);
  EXPECT_EQ(list(entries.substr(0, 1538)), expected) << "the padding is no part of the entry";
  EXPECT_THAT(list(tar_end()), IsEmpty());
}

bool more_after_end(const std::string& bytes) {
  const MemorySource source(std::as_bytes(std::span(bytes)));
  TarReader tar(source, "x.tar");
  while (tar.next()) {
  }
  return tar.more_after_end();
}

TEST(Tar, TellsOfBytesBehindTheEnd) {
  const std::string tar = tar_entry("a.jpg", "123") + tar_end();
  const Lines expected{"512\t3\ta.jpg"};
  for (const std::string& behind :
       Lines{"anything", std::string(100'000, '\0') + "x", std::string(600, 'q')}) {
    EXPECT_EQ(list(tar + behind), expected);
    EXPECT_TRUE(more_after_end(tar + behind));
  }
  EXPECT_FALSE(more_after_end(tar));
  EXPECT_FALSE(more_after_end(tar + std::string(200'000, '\0')));
}

TEST(Tar, RefusesAnotherArchiveBehindTheEnd) {
  const std::string tar = tar_entry("a.jpg", "123") + tar_end();
  EXPECT_THAT(refusal(tar + tar), AllOf(HasSubstr("x.tar: byte 1024: the archive ends here, and another one "
                                                  "follows at byte 2048"),
                                        HasSubstr("tar --ignore-zeros -xf")));
  EXPECT_THAT(refusal(tar + std::string(512 * 200, '\0') + tar), HasSubstr("follows at byte 104448"));
  EXPECT_THAT(refusal(tar_entry("a.jpg") + std::string(512, '\0') + tar_entry("b.jpg") + tar_end()),
              HasSubstr("byte 512: the archive ends here, and another one follows at byte 1024"));
}

TEST(Tar, NamesTheByteWhereItIsCutOff) {
  const std::string tar = tar_entry("a.jpg", std::string(700, 'x')) + tar_entry("b.jpg", "45");
  for (std::size_t size = 1; size < tar.size(); ++size) {
    const std::string cut = tar.substr(0, size);
    if (size == 1536 || (size >= 1212 && size < 1536) || size >= 2050) {
      EXPECT_NO_THROW(list(cut)) << size;
    } else if (size > 512 && size < 1212) {
      EXPECT_THAT(refusal(cut),
                  HasSubstr(fmt::format("x.tar: byte 0: the archive is cut off: 'a.jpg' has 700 "
                                        "bytes, {} of them are there",
                                        size - 512)));
    } else {
      EXPECT_THAT(refusal(cut),
                  HasSubstr(fmt::format("x.tar: byte {}: the archive is cut off", size < 1212 ? 0 : 1536)))
          << size;
    }
  }
  EXPECT_THAT(refusal(""), HasSubstr("the file is empty"));
}

TEST(Tar, NamesTheByteOfADamagedHeader) {
  std::string tar = tar_entry("a.jpg", "123") + tar_entry("b.jpg", "45") + tar_end();
  EXPECT_THAT(refusal(std::string(tar).replace(1024, 1, "X")),
              HasSubstr("x.tar: byte 1024: the header is damaged: its checksum does not fit"));
  EXPECT_THAT(refusal(std::string(3000, 'q')), HasSubstr("byte 0: the header is damaged"));
  EXPECT_THAT(refusal(changed(tar_entry("a.jpg"), 124, "12x")), HasSubstr("the size is not a number"));
  EXPECT_THAT(refusal(changed(tar_entry("a.jpg"), 124, std::string(12, '\xFF'))),
              HasSubstr("the size is not a number"));
  EXPECT_THAT(
      refusal(changed(tar_entry("a.jpg"), 124, "\x80" + std::string(3, '\0') + std::string(8, '\x7F'))),
      HasSubstr("cut off"));
}

TEST(Tar, TakesOldChecksumsAndNames) {
  std::string entry = tar_entry("\xE9.jpg", "1");
  std::int32_t sum = 0;
  entry.replace(148, 8, "        ");
  for (const char c : entry.substr(0, 512)) sum += static_cast<signed char>(c);
  entry.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
  EXPECT_THAT(list(entry), ElementsAre("512\t1\t\xE9.jpg"));
  EXPECT_THAT(list(changed(tar_entry("old", "1", '\0'), 257, std::string(8, '\0'))),
              ElementsAre("512\t1\told"));
  EXPECT_THAT(list(tar_entry("folder/", "", '\0')), IsEmpty());
}

TEST(Tar, PaxHeadersHoldForTheNextEntryOrAll) {
  EXPECT_THAT(list(pax("path", "x/y.jpg") + tar_entry("a", "1") + tar_entry("b", "2")),
              ElementsAre("1536\t1\tx/y.jpg", "2560\t1\tb"));
  EXPECT_THAT(list(pax("path", "all", 'g') + tar_entry("a", "1") + tar_entry("b", "2")),
              ElementsAre("1536\t1\tall", "2560\t1\tall"));
  EXPECT_THAT(list(pax("size", "2") + tar_entry("a", "1")), ElementsAre("1536\t2\ta"));
  EXPECT_THAT(list(pax("comment", "path=z") + tar_entry("a", "1")), ElementsAre("1536\t1\ta"));
}

TEST(Tar, RefusesDamagedPaxHeaders) {
  for (const std::string& data : Lines{"5 a=b", "x path=a\n", "99 path=a\n", "3 path=a\n", "10 pathaa\n",
                                       "0 a=b\n", "10", "4 =\n5 \n", "99999999999999999999 a=b\n"}) {
    EXPECT_THAT(refusal(tar_entry("pax", data, 'x') + tar_entry("a")),
                HasSubstr("byte 0: the pax header is damaged"))
        << data;
  }
  EXPECT_THAT(refusal(pax("size", "-1") + tar_entry("a")), HasSubstr("byte 1024: the header is damaged"));
  EXPECT_THAT(refusal(pax("size", "99999999999") + tar_entry("a")),
              HasSubstr("byte 1024: the archive is cut off"));
  EXPECT_THAT(refusal(pax("path", std::string("a\0b", 3)) + tar_entry("a")), HasSubstr("NUL"));
  EXPECT_THAT(refusal(tar_entry("L", std::string(std::size_t{2} << 20U, 'x'), 'L') + tar_entry("a")),
              HasSubstr("an extended header of 2097152 bytes"));
}

TEST(Tar, RefusesSparseFiles) {
  EXPECT_THAT(refusal(tar_entry("a.jpg", "1", 'S')), HasSubstr("'a.jpg' is stored as a sparse file"));
  EXPECT_THAT(refusal(pax("GNU.sparse.major", "1") + tar_entry("a.jpg", "1")), HasSubstr("sparse"));
}

TEST(Tar, RefusesPackedOnes) {
  const std::pair<std::string, std::string> packed[] = {{"\x1F\x8B\x08", "gzip"},
                                                        {"\x28\xB5\x2F\xFD", "zstd"},
                                                        {std::string("\xFD"
                                                                     "7zXZ\0",
                                                                     6),
                                                         "xz"},
                                                        {"BZh9", "bzip2"},
                                                        {"\x04\x22\x4D\x18", "lz4"}};
  for (const auto& [start, name] : packed) {
    EXPECT_THAT(refusal(start + std::string(1000, 'x')),
                AllOf(HasSubstr("x.tar: compressed with " + name), HasSubstr("must be unpacked")));
  }
}

TEST(Tar, CountsLinks) {
  const std::string bytes = tar_entry("a", "", '1') + tar_entry("b", "", '2') + tar_entry("c", "", '5');
  const MemorySource source(std::as_bytes(std::span(bytes)));
  TarReader tar(source, "x.tar");
  EXPECT_FALSE(tar.next());
  EXPECT_EQ(tar.links(), 2);
}

}  // namespace
}  // namespace polyhead::data
