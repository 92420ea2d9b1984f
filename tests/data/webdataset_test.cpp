#include <random>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "data/webdataset/shard.hpp"
#include "data/webdataset/shard_label.hpp"
#include "data/webdataset/shard_paths.hpp"
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

TEST(Shard, JoinsByKeyWhateverTheOrder) {
  const std::vector<std::string> parts{image("a.jpg"),          image("d/a.png"),
                                       tar_entry("a.cls", "1"), tar_entry("d/a.json", R"({"label": 2})"),
                                       image("b.jpg"),          tar_entry("b.txt", "x"),
                                       tar_entry("c.cls", "4")};
  std::vector<std::size_t> order{0, 1, 2, 3, 4, 5, 6};
  do {
    std::string bytes;
    for (const std::size_t part : order) bytes += parts[part];
    EXPECT_THAT(samples_in(bytes), ::testing::UnorderedElementsAre("a.jpg 1", "d/a.png 2", "b.jpg -1"));
  } while (std::ranges::next_permutation(order).found && order[0] < 2);
}

TEST(Shard, TheOrderIsThatOfTheFirstEntries) {
  EXPECT_THAT(samples_in(image("b.jpg") + image("a.jpg") + tar_entry("a.cls", "1") + tar_entry("c.cls", "3") +
                         tar_entry("b.cls", "2") + image("c.jpg")),
              ElementsAre("b.jpg 2", "a.jpg 1", "c.jpg 3"));
}

TEST(Shard, JoinsAsPythonWould) {
  const TemporaryFolder folder;
  ASSERT_EQ(
      polyhead::testing::run_python("data/make_shards.py", fmt::format("'{}' 60", folder.path().string())),
      0);
  int shards = 0;
  for (const auto& item : fs::directory_iterator(folder.path())) {
    if (item.path().extension() != ".tar") continue;
    auto expected = item.path();
    expected.replace_extension(".expected");
    Lines lines;
    Oddities oddities;
    scan_shard(FileSource(item.path().string()), "x.tar", oddities, [&](const ShardSample& sample) {
      lines.push_back(fmt::format("{}\t{}\t{}\t{}", sample.image.offset, sample.image.size, sample.image.name,
                                  sample.label));
    });
    EXPECT_EQ(lines, testing::lines_of(expected)) << item.path();
    ++shards;
  }
  EXPECT_EQ(shards, 60);
}

TEST(Shard, RefusesTwoImagesOfAKey) {
  EXPECT_THAT(
      refusal(image("a.png") + image("b.jpg") + image("a.jpg")),
      HasSubstr("x.tar: entry 'a.jpg': found 'a.png' of the same sample, too; expected one image for a "
                "key: leave one of them out"));
  EXPECT_THAT(refusal(image("a.JPG") + image("a.jpeg")), HasSubstr("entry 'a.jpeg': found 'a.JPG'"));
}

TEST(Shard, RefusesLabelsThatDiffer) {
  const auto labels = [](const char* cls, const char* json) {
    return tar_entry("a.cls", cls) + image("a.jpg") + tar_entry("a.json", json);
  };
  EXPECT_THAT(refusal(labels("1", R"({"label": 2})")),
              HasSubstr("x.tar: entry 'a.cls': found label 1, but 'a.json' says 2; expected the same"));
  for (const char* json : {R"({"label": 1})", R"({"caption": "x"})", R"({"label": "cat"})", "no JSON", ""})
    EXPECT_THAT(samples_in(labels("1", json)), ElementsAre("a.jpg 1")) << json;
  EXPECT_THAT(refusal(image("a.jpg") + tar_entry("a.cls", "1") + image("b.jpg") + tar_entry("a.CLS", "1")),
              HasSubstr("entry 'a.CLS': found 'a.cls' of the same sample, too; expected one label"));
}

TEST(Shard, CountsWhatIsHiddenOrUnknown) {
  Oddities oddities;
  EXPECT_THAT(
      samples_in(image("a.jpg") + tar_entry("._a.jpg", "x") + tar_entry("d/.DS_Store") + tar_entry("a.txt") +
                     tar_entry("b.webp") + tar_entry("c.WEBP") + tar_entry("README") + tar_entry("a.seg.png"),
                 &oddities),
      ElementsAre("a.jpg -1"));
  EXPECT_EQ(oddities.hidden, 2);
  EXPECT_EQ(oddities.first_hidden, "x.tar/._a.jpg");
  const std::map<std::string, std::int64_t> unknown{{"txt", 1}, {"webp", 2}, {"", 1}, {"seg.png", 1}};
  EXPECT_EQ(oddities.unknown, unknown);
  EXPECT_EQ(oddities.without_image, 2);
}

/// Strangers' names must not fill the memory.
TEST(Shard, KeepsFewSuffixes) {
  Oddities oddities;
  for (std::size_t i = 0; i < 2 * kMaxSuffixes; ++i) oddities.count_unknown(std::to_string(i));
  oddities.count_unknown(std::string(1000, 'x'));
  EXPECT_EQ(oddities.unknown.size(), kMaxSuffixes + 1);
  EXPECT_EQ(oddities.unknown["..."], static_cast<std::int64_t>(kMaxSuffixes) + 1);
}

TEST(Shard, CountsGroupsWithoutImage) {
  Oddities oddities;
  EXPECT_THAT(samples_in(tar_entry("a.cls", "1") + image("b.jpg") + tar_entry("c.txt", "1") +
                             tar_entry("l.jpg", "", '2'),
                         &oddities),
              ElementsAre("b.jpg -1"));
  EXPECT_EQ(oddities.without_image, 2);
  EXPECT_EQ(oddities.first_without_image, "x.tar/a");
  EXPECT_EQ(oddities.labels_without_image, 1);
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
       {image("a.jpg") + image("a.jpg"), image("a.jpg") + tar_entry("a.cls", "1") + image("a.jpg")}) {
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
              AllOf(HasSubstr("left out 1 group(s)"), HasSubstr(", 1 of them with a label; the first is"),
                    HasSubstr("a.tar/a"), HasSubstr("left out 1 link(s)")));
}

TEST_F(WebDataset, WarnsOfEntriesThatAreNoPartOfASample) {
  std::string bytes = image("a.jpg") + tar_entry("._a.jpg") + tar_entry("README");
  for (int i = 0; i < 9; ++i) bytes += tar_entry(fmt::format("a.{}", std::string(i / 2 + 1, 'x')), "", '0');
  write(folder_ / "a.tar",
        bytes + tar_entry("b.webp") + tar_entry("c.webp") + tar_entry("d.webp") + tar_end() + "more");
  ::testing::internal::CaptureStderr();
  open("a.tar");
  EXPECT_THAT(
      ::testing::internal::GetCapturedStderr(),
      AllOf(HasSubstr(
                "left out 13 entries that are no .jpg, .jpeg, .png, .cls or .json (a key ends at the first "
                "dot): .webp (3), .x (2), .xx (2), .xxx (2), .xxxx (2), without a suffix (1) and 1 more "
                "kind(s)"),
            HasSubstr("left out 1 entries whose names begin with a dot; the first is"),
            HasSubstr("a.tar/._a.jpg"),
            HasSubstr("1 shard(s) have bytes behind their end mark that are no tar")));
}

TEST_F(WebDataset, LeavesOutWhatIsNoShardAndSaysSo) {
  write_shards(2);
  write(folder_ / "shards/._x-000.tar", "no tar");
  write(folder_ / "shards/.x.tar.gz", "a download under way");
  write(folder_ / "shards/more/x-002.tar", image("a.jpg") + tar_end());
  ::testing::internal::CaptureStderr();
  const auto dataset = open("shards");
  EXPECT_EQ(dataset->size(), 4);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("left out 2 file(s) or folder(s) whose names begin with a dot; the first is ."),
                    HasSubstr("left out 1 file(s) or folder(s) that are no .tar; the first is more")));
  EXPECT_FALSE(is_shard_name("._x-000.tar"));
  EXPECT_FALSE(is_shard_name("shards/._x-000.tar"));
  EXPECT_TRUE(is_shard_name("shards.v1/x-000.tar"));
}

TEST_F(WebDataset, RefusesJoinedShards) {
  write(folder_ / "a.tar", image("a.jpg") + tar_end() + image("b.jpg") + tar_end());
  EXPECT_THAT(refusal("a.tar", ExitCode::bad_data), AllOf(HasSubstr("1 of 1 shard(s) cannot be used"),
                                                          HasSubstr("another one follows at byte 2048")));
}

TEST_F(WebDataset, TellsChangesOfItsFiles) {
  write_shards(2);
  testing::make_old(folder_ / "shards/x-000.tar");
  testing::make_old(folder_ / "shards/x-001.tar");
  const auto dataset = open("shards");
  EXPECT_THAT(dataset->files(1),
              ElementsAre((folder_ / "shards/x-000.tar").string(), (folder_ / "shards/x-001.tar").string()));
  const auto before = dataset->stamps(0, 2);
  ASSERT_TRUE(before);
  testing::make_old(folder_ / "shards/x-001.tar", 1'000'000'007);
  EXPECT_EQ(dataset->stamps(0, 2), before);
  testing::make_old(folder_ / "shards/x-000.tar", 1'000'000'007);
  EXPECT_NE(dataset->stamps(0, 2), before);
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
