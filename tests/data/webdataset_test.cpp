#include <random>

#include <gmock/gmock.h>

#include "../../src/data/shard.hpp"
#include "../../src/data/shard_label.hpp"
#include "../../src/data/shard_paths.hpp"
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
using testing::ids_of;
using testing::images_at;
using ::testing::IsEmpty;
using testing::labels_of;
using ::testing::Not;
using testing::tar_end;
using testing::tar_entry;
using testing::write;
namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

/// "NAME LABEL" of each sample.
Lines samples_in(const std::string& bytes, Oddities* oddities = nullptr) {
  Lines lines;
  Oddities ignored;
  scan_shard(MemorySource(std::as_bytes(std::span(bytes))), "x.tar",
             oddities != nullptr ? *oddities : ignored, [&](const ShardSample& sample) {
               EXPECT_EQ(bytes.substr(sample.image.offset, sample.image.size), "image");
               lines.push_back(fmt::format("{} {}", sample.image.name, sample.label));
             });
  return lines;
}

std::string refusal(const std::string& bytes) {
  const auto [code, text] = error_of([&] { return samples_in(bytes); });
  EXPECT_EQ(code, ExitCode::bad_data);
  return text;
}

std::string image(const std::string& name) {
  return tar_entry(name, "image");
}

TEST(Shard, GroupsByKey) {
  EXPECT_THAT(samples_in(image("a.jpg") + tar_entry("a.cls", "1") + tar_entry("b.cls", " 2\n") +
                         image("b.png") + image("d/a.JPEG") + tar_entry("d/a.txt", "x") + image("c.jpg")),
              ElementsAre("a.jpg 1", "b.png 2", "d/a.JPEG -1", "c.jpg -1"));
}

TEST(Shard, TheKeyEndsAtTheFirstDotOfTheBaseName) {
  Oddities oddities;
  EXPECT_THAT(
      samples_in(image("v1.0/a.jpg") + tar_entry("v1.0/a.cls", "1") + image("v1.0/b.seg.png") +
                     tar_entry("v1.0/b.cls", "3") + image("v1.0/b.jpg") + image(".jpg") + image("noext"),
                 &oddities),
      ElementsAre("v1.0/a.jpg 1", "v1.0/b.jpg 3"));
  EXPECT_EQ(oddities.without_image, 0);
}

TEST(Shard, PrefersJpegs) {
  EXPECT_THAT(samples_in(image("a.png") + image("a.jpeg") + image("a.jpg") + image("b.jpg") + image("b.png")),
              ElementsAre("a.jpg -1", "b.jpg -1"));
}

TEST(Shard, CountsGroupsWithoutImage) {
  Oddities oddities;
  EXPECT_THAT(samples_in(tar_entry("a.cls", "1") + image("b.jpg") + tar_entry("c.txt", "1") +
                             tar_entry("l.jpg", "", '2'),
                         &oddities),
              ElementsAre("b.jpg -1"));
  EXPECT_EQ(oddities.without_image, 2);
  EXPECT_EQ(oddities.first_without_image, "x.tar/a");
  EXPECT_EQ(oddities.links, 1);
}

TEST(Shard, ReadsLabels) {
  EXPECT_EQ(label_in_text("7"), 7);
  EXPECT_EQ(label_in_text(" -1\r\n"), -1);
  EXPECT_EQ(label_in_text("2147483647"), 2147483647);
  for (const char* bad : {"", "7.0", "cat", "1 2", "2147483648", "-2", "0x1", "+1"}) {
    EXPECT_FALSE(label_in_text(bad)) << bad;
  }
  EXPECT_EQ(label_in_json(R"({"label": 3})"), 3);
  EXPECT_EQ(label_in_json(R"({"a": {"label": 4}, "cls": 2})"), 2);
  EXPECT_EQ(label_in_json(R"({"class": -1})"), -1);
  EXPECT_EQ(label_in_json(R"({"caption": "x"})"), -1);
  for (const char* bad : {"", "3", "[3]", R"({"label": "3"})", R"({"label": 3.0})", R"({"label": true})",
                          R"({"label": 4294967296})", R"({"label": 18446744073709551615})",
                          R"({"label": -2})", R"({"label": null})", R"({"label": 3)"}) {
    EXPECT_FALSE(label_in_json(bad)) << bad;
  }
}

TEST(Shard, NamesTheEntryWithABadLabel) {
  EXPECT_THAT(refusal(image("a.jpg") + tar_entry("a.cls", "cat")),
              HasSubstr("x.tar: entry 'a.cls': found 'cat'; expected a class from 0 to 2147483647"));
  EXPECT_THAT(
      refusal(image("a.jpg") + tar_entry("a.json", "{\"label\": \"cat\"}")),
      HasSubstr("x.tar: entry 'a.json': found '{\"label\": \"cat\"}'; expected an object with \"label\""));
  EXPECT_THAT(samples_in(image("a.jpg") + tar_entry("a.cls", "5") + tar_entry("a.json", "no JSON")),
              ElementsAre("a.jpg 5"));
}

TEST(Shard, RefusesNamesThatLeadElsewhere) {
  EXPECT_THAT(refusal(image("/a.jpg")), HasSubstr("x.tar: entry '/a.jpg': found an absolute name"));
  EXPECT_THAT(refusal(image(".//a.jpg")), HasSubstr("found an absolute name"));
  for (const char* name : {"../a.jpg", "a/../b.jpg", "./../a.jpg", "a/.."}) {
    EXPECT_THAT(refusal(image(name)), HasSubstr("found '..' in its name")) << name;
  }
  EXPECT_THAT(
      samples_in(image("./a.jpg") + tar_entry("a.cls", "1") + image("././b..jpg") + image("c/...jpg")),
      ElementsAre("a.jpg 1"));
}

TEST(Shard, RefusesTwoOfAKind) {
  for (const std::string& group :
       {image("a.jpg") + image("a.jpg"), image("a.jpg") + tar_entry("a.cls", "1") + image("a.JPG")}) {
    EXPECT_THAT(refusal(group), AllOf(HasSubstr("x.tar: entry 'a."), HasSubstr("found it twice")));
  }
  EXPECT_THAT(refusal(image("a.jpg") + tar_entry("a.cls", "1") + tar_entry("a.cls", "2")),
              HasSubstr("x.tar: entry 'a.cls': found it twice; expected each name once"));
}

TEST(ShardPaths, BracesAreExpanded) {
  EXPECT_THAT(expand_braces("x-{008..011}.tar"),
              ElementsAre("x-008.tar", "x-009.tar", "x-010.tar", "x-011.tar"));
  EXPECT_THAT(expand_braces("{9..11}"), ElementsAre("9", "10", "11"));
  EXPECT_THAT(expand_braces("{a,b}/{0..1}-{x,}"),
              ElementsAre("a/0-x", "a/0-", "a/1-x", "a/1-", "b/0-x", "b/0-", "b/1-x", "b/1-"));
  EXPECT_THAT(expand_braces("plain"), ElementsAre("plain"));
  for (const char* bad : {"{1..", "{2..1}", "{a..c}", "{1..2..3}", "{a}", "{}", "{0..9999999}", "{..}",
                          "{0..999}{0..999}{0..999}", "{0..99999999999999999999}"}) {
    const auto [code, text] = error_of([&] { return expand_braces(bad); });
    EXPECT_EQ(code, ExitCode::config) << bad;
    EXPECT_THAT(text, AllOf(HasSubstr(bad), HasSubstr("expected ranges such as {000..127}")));
  }
}

class WebDataset : public ::testing::Test {
 protected:
  std::unique_ptr<Dataset> open(const std::string& path) {
    config::Data config = images_at(folder_ / path);
    config.format = config::DataFormat::webdataset;
    return data::open(config, folder_ / "list");
  }
  std::string refusal(const std::string& path, ExitCode expected) {
    const auto [code, text] = error_of([&] { return open(path); });
    EXPECT_EQ(code, expected);
    return text;
  }
  /// Two samples each.
  void write_shards(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string number = fmt::format("{:03}", i);
      write(folder_ / "shards" / fmt::format("x-{}.tar", number),
            image(number + ".jpg") + tar_entry(number + ".cls", std::to_string(i)) + image("b.png") +
                tar_end());
    }
  }
  TemporaryFolder folder_;
};

TEST_F(WebDataset, OneShardAFolderOrAPattern) {
  write_shards(3);
  write(folder_ / "shards/readme.txt");
  const auto one = open("shards/x-001.tar");
  EXPECT_THAT(ids_of(*one), ElementsAre("x-001.tar/001.jpg", "x-001.tar/b.png"));
  EXPECT_THAT(one->locations(0, 2), ElementsAre(Location{(folder_ / "shards/x-001.tar").string(), 512, 5},
                                                Location{(folder_ / "shards/x-001.tar").string(), 2560, 5}));
  const auto all = open("shards");
  EXPECT_THAT(labels_of(*all), ElementsAre(0, -1, 1, -1, 2, -1));
  EXPECT_TRUE(all->labelled());
  EXPECT_EQ(all->describe(),
            fmt::format("{}: 6 images in 3 shard(s), webdataset, labelled", (folder_ / "shards").string()));
  EXPECT_EQ(open("shards/x-{000..002}.tar")->digest(), all->digest());
  EXPECT_THAT(ids_of(*open("shards/x-{002,000}.tar")),
              ElementsAre("x-002.tar/002.jpg", "x-002.tar/b.png", "x-000.tar/000.jpg", "x-000.tar/b.png"));
}

/// Shards of one name in several folders.
TEST_F(WebDataset, IdsAreUnique) {
  for (const char* path : {"data/a/x.tar", "data/b/x.tar", "data/b/c/x.tar"}) {
    write(folder_ / path, image("0.jpg") + image("d/1.jpg") + tar_end());
  }
  const auto two = open("data/{a,b}/x.tar");
  EXPECT_THAT(ids_of(*two),
              ElementsAre("a/x.tar/0.jpg", "a/x.tar/d/1.jpg", "b/x.tar/0.jpg", "b/x.tar/d/1.jpg"));
  EXPECT_THAT(ids_of(*open("data/b/{c/x,x}.tar")),
              ElementsAre("c/x.tar/0.jpg", "c/x.tar/d/1.jpg", "x.tar/0.jpg", "x.tar/d/1.jpg"));
  EXPECT_THAT(ids_of(*open("data/b/x.tar")), ElementsAre("x.tar/0.jpg", "x.tar/d/1.jpg"));
  // They do not depend on where the data set is.
  const auto digest = two->digest();
  fs::rename(folder_ / "data", folder_ / "moved");
  EXPECT_EQ(open("moved/{a,b}/x.tar")->digest(), digest);
}

TEST_F(WebDataset, FoldersOfSimilarNamesAreTwo) {
  for (const char* path : {"train-1/x.tar", "train-2/x.tar"})
    write(folder_ / path, image("0.jpg") + tar_end());
  EXPECT_THAT(ids_of(*open("train-{1..2}/x.tar")), ElementsAre("train-1/x.tar/0.jpg", "train-2/x.tar/0.jpg"));
}

TEST_F(WebDataset, RefusesANameThatIsInAShardTwice) {
  write_shards(3);
  write(folder_ / "shards/x-001.tar",
        image("a.jpg") + image("b.jpg") + image("c.jpg") + image("b.jpg") + tar_end());
  EXPECT_THAT(refusal("shards", ExitCode::bad_data),
              AllOf(HasSubstr("1 of 3 shard(s) cannot be used"),
                    HasSubstr("x-001.tar: entry 'b.jpg': found it twice")));
}

TEST_F(WebDataset, RefusesAShardTwice) {
  write_shards(2);
  EXPECT_THAT(refusal("shards/x-{000,001,000}.tar", ExitCode::config), HasSubstr("x-000.tar twice"));
}

TEST_F(WebDataset, ListsMissingShards) {
  write_shards(2);
  EXPECT_THAT(refusal("shards/x-{000..040}.tar", ExitCode::no_input),
              AllOf(HasSubstr("39 of 41 shards are missing"), HasSubstr("x-002.tar"),
                    HasSubstr("x-021.tar\n"), Not(HasSubstr("x-022.tar")), Not(HasSubstr("x-001.tar"))));
  EXPECT_THAT(refusal("shards/none.tar", ExitCode::no_input), HasSubstr("shards/none.tar"));
}

TEST_F(WebDataset, ListsDamagedShards) {
  write_shards(30);
  const auto cut = [&](int i) { fs::resize_file(folder_ / fmt::format("shards/x-{:03}.tar", i), 1200); };
  cut(3);
  write(folder_ / "shards/x-004.tar", image("a.jpg") + tar_entry("a.cls", "cat"));
  write(folder_ / "shards/x-005.tar", "\x1F\x8B and more");
  EXPECT_THAT(refusal("shards", ExitCode::bad_data),
              AllOf(HasSubstr("3 of 30 shard(s) cannot be used:"),
                    HasSubstr("x-003.tar: byte 1024: the archive is cut off"),
                    HasSubstr("x-004.tar: entry 'a.cls'"), HasSubstr("x-005.tar: compressed with gzip"),
                    HasSubstr("make them again, or leave them out of data.path")));
  for (int i = 0; i < 30; ++i) cut(i);
  EXPECT_THAT(refusal("shards", ExitCode::bad_data),
              AllOf(HasSubstr("at least 20 of 30"), HasSubstr("x-019.tar"), Not(HasSubstr("x-020.tar"))));
}

TEST_F(WebDataset, RefusesPackedShards) {
  write(folder_ / "shards/a.tar.gz");
  EXPECT_THAT(refusal("shards", ExitCode::bad_data), HasSubstr("found compressed shards (a.tar.gz)"));
}

TEST_F(WebDataset, RefusesShardsWithoutImages) {
  write(folder_ / "a.tar", tar_entry("a.cls", "1") + tar_end());
  EXPECT_THAT(refusal("a.tar", ExitCode::bad_data),
              HasSubstr("a.tar: found no images; expected entries KEY.jpg"));
  fs::create_directories(folder_ / "empty");
  EXPECT_THAT(refusal("empty", ExitCode::bad_data), HasSubstr("found no .tar files"));
}

TEST_F(WebDataset, AnEmptyImageStaysASample) {
  write(folder_ / "a.tar", tar_entry("a.jpg") + tar_end());
  const auto dataset = open("a.tar");
  EXPECT_THAT(dataset->locations(0, 1), ElementsAre(Location{(folder_ / "a.tar").string(), 512, 0}));
  EXPECT_FALSE(dataset->labelled());
}

TEST_F(WebDataset, WarnsOfWhatIsLeftOut) {
  write(folder_ / "a.tar",
        tar_entry("a.cls", "1") + image("b.jpg") + tar_entry("c.jpg", "", '1') + tar_end());
  ::testing::internal::CaptureStderr();
  open("a.tar");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("left out 1 group(s)"), HasSubstr("a.tar/a"), HasSubstr("left out 1 link(s)")));
}

TEST_F(WebDataset, WarnsOfShardsWithoutAnEnd) {
  write(folder_ / "a.tar", image("b.jpg"));
  ::testing::internal::CaptureStderr();
  open("a.tar");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("1 shard(s) have no end mark"));
  write(folder_ / "a.tar", image("c.jpg") + tar_end());
  ::testing::internal::CaptureStderr();
  open("a.tar");
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(HasSubstr("no end mark")));
}

TEST_F(WebDataset, TheListIsMadeAnewWhenAShardChanges) {
  write_shards(2);
  testing::make_old(folder_ / "shards");
  const auto log = [&] {
    ::testing::internal::CaptureStderr();
    open("shards");
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(log(), HasSubstr("indexed 4 samples"));
  EXPECT_THAT(log(), HasSubstr("read from"));
  testing::make_old(folder_ / "shards/x-001.tar", 1'000'000'007);
  EXPECT_THAT(log(), HasSubstr("indexed 4 samples"));
  EXPECT_THAT(log(), HasSubstr("read from"));
  // The size alone: a tool that sets the time of the last change back hides nothing.
  write(folder_ / "shards/x-001.tar",
        image("a.jpg") + image("b.jpg") + image("c.jpg") + image("d.jpg") + tar_end());
  testing::make_old(folder_ / "shards/x-001.tar", 1'000'000'007);
  EXPECT_THAT(log(), HasSubstr("indexed 6 samples"));
  EXPECT_THAT(log(), HasSubstr("read from"));
  write_shards(3);
  EXPECT_THAT(log(), HasSubstr("indexed 6 samples"));
}

}  // namespace
}  // namespace polyhead::data
