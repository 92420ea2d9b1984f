#include "data/index/sample_index.hpp"

#include <random>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/resource.h>

#include "../support.hpp"
#include "data/index/sample_index_builder.hpp"
#include "samples.hpp"

namespace polyhead::data {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::images_at;
using testing::make_old;
using ::testing::Not;
using testing::read_file;
using testing::write;
namespace fs = std::filesystem;

class SampleIndexTest : public ::testing::Test {
 protected:
  /// Opens the data set and returns what that logs.
  std::string log_of_opening(const fs::path& data) {
    ::testing::internal::CaptureStderr();
    open(images_at(data), list_);
    return ::testing::internal::GetCapturedStderr();
  }
  void expect_reused(const fs::path& data) {
    EXPECT_THAT(log_of_opening(data), HasSubstr("data: list of samples read from " + list_.string()));
  }
  void expect_made_anew(const fs::path& data) {
    EXPECT_THAT(log_of_opening(data), AllOf(HasSubstr("data: indexed"), Not(HasSubstr("read from"))));
  }
  void build(int samples) {
    SampleIndexBuilder builder(list_);
    builder.add_class("cat");
    builder.add_class("dog");
    const std::uint32_t file = builder.add_file("/data/x.tar", "x.tar/", {1000, 2000});
    for (int i = 0; i < samples; ++i) {
      builder.add(fmt::format("name-{}", i), {.offset = 512, .size = 7, .file = file, .label = i % 3 - 1});
    }
    builder.note("first");
    builder.note("second");
    builder.finish("the source");
  }
  TemporaryFolder folder_;
  fs::path list_ = folder_ / "list";
};

TEST_F(SampleIndexTest, GivesBackWhatWasPutIn) {
  build(7);
  const auto index = SampleIndex::open(list_);
  ASSERT_TRUE(index);
  EXPECT_EQ(index->size(), 7);
  EXPECT_EQ(index->labelled(), 4);
  EXPECT_EQ(index->source(), "the source");
  EXPECT_EQ(index->notes(), "first\nsecond");
  EXPECT_THAT(index->class_names(), ElementsAre("cat", "dog"));
  EXPECT_EQ(index->file(0).path, "/data/x.tar");
  EXPECT_EQ(index->file(0).prefix, "x.tar/");
  EXPECT_EQ(index->file(0).stamp, (Stamp{1000, 2000}));
  EXPECT_EQ(index->name(index->entry(6)), "name-6");
  EXPECT_EQ(index->entry(5).label, 1);
  EXPECT_EQ(index->entry(5).offset, 512);
}

TEST_F(SampleIndexTest, LeavesNoOtherFile) {
  build(3);
  { const SampleIndexBuilder given_up(folder_ / "other"); }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), {}), 1);
}

/// An entry takes 32 bytes and its name; none of it may be the process's own memory.
TEST_F(SampleIndexTest, TakesNoMemoryOfItsOwn) {
  const auto own_pages = [] {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("RssAnon:")) return std::stoll(line.substr(8));
    }
    return 0LL;
  };
  const auto before = own_pages();
  constexpr int kSamples = 2'000'000;  // 32 bytes and a name of about 13 each
  SampleIndexBuilder builder(list_);
  const std::uint32_t file = builder.add_file("x", "x/", {});
  for (int i = 0; i < kSamples; ++i) builder.add(fmt::format("name-{}", i), {.file = file});
  builder.finish("source");
  const auto index = SampleIndex::open(list_);
  std::size_t bytes = 0;
  for (std::int64_t i = 0; i < index->size(); ++i) bytes += index->name(index->entry(i)).size();
  EXPECT_GT(bytes, std::size_t{20'000'000});
  EXPECT_LT(own_pages() - before, 4 * 1024);  // KiB
}

TEST_F(SampleIndexTest, NamesTheFileThatCannotBeWritten) {
  const auto [code, text] =
      error_of([&] { return std::make_unique<SampleIndexBuilder>(folder_ / "none/list"); });
  EXPECT_EQ(code, ExitCode::cant_create);
  EXPECT_THAT(text, AllOf(HasSubstr((folder_ / "none/list").string()), HasSubstr("No such file")));
}

TEST_F(SampleIndexTest, AFullDiskIsAnError) {
  testing::without_privileges([&] {
    const rlimit small{1 << 20, 1 << 20};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    ::signal(SIGXFSZ, SIG_IGN);
    const auto [code, text] = error_of([&] {
      SampleIndexBuilder builder(fs::temp_directory_path() / "polyhead-test-full");
      for (int i = 0; i < 100'000; ++i) builder.add("name", {});
      return 0;
    });
    EXPECT_EQ(code, ExitCode::cant_create);
    EXPECT_THAT(text, AllOf(HasSubstr("polyhead-test-full"), HasSubstr("File too large")));
  });
}

TEST_F(SampleIndexTest, IsNoLongerUsedWhenItIsCutOff) {
  build(20);
  const std::string whole = read_file(list_);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write(list_, whole.substr(0, size));
    EXPECT_FALSE(SampleIndex::open(list_)) << size;
  }
  write(list_, whole + '\0');
  EXPECT_FALSE(SampleIndex::open(list_));
  EXPECT_FALSE(SampleIndex::open(folder_ / "none"));
  EXPECT_FALSE(SampleIndex::open(folder_.path()));
}

/// Looks at all there is.
std::size_t use(const fs::path& list) {
  const auto index = SampleIndex::open(list);
  if (!index) return 0;
  std::size_t bytes = index->source().size() + index->notes().size() + index->class_names().size();
  for (std::uint64_t i = 0; i < index->files(); ++i) {
    bytes += index->file(i).path.size() + index->file(i).prefix.size();
  }
  for (std::int64_t i = 0; i < index->size(); ++i) {
    const IndexEntry& entry = index->entry(i);
    bytes += index->name(entry).size() + index->file(entry.file).path.size();
  }
  return bytes;
}

TEST_F(SampleIndexTest, NoDamageMakesItCrash) {
  build(20);
  const std::string whole = read_file(list_);
  std::mt19937 random(1);
  int refused = 0;
  for (int round = 0; round < 600; ++round) {
    std::string damaged = whole;
    const auto any = [&](std::size_t below) { return random() % below; };
    for (std::size_t flips = 1 + any(4); flips > 0; --flips) {
      damaged[any(damaged.size())] = static_cast<char>(random());
    }
    if (round % 3 == 0) damaged.resize(any(damaged.size()));
    write(list_, damaged);
    try {
      use(list_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data);
      EXPECT_THAT(error.what(), HasSubstr("this list of samples is damaged"));
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
}

TEST_F(SampleIndexTest, DamageIsMended) {
  const fs::path data = folder_ / "data";
  for (int i = 0; i < 20; ++i) write(data / fmt::format("cat/{}.jpg", i));
  make_old(data);
  const auto digest = open(images_at(data), list_)->digest();
  const std::string whole = read_file(list_);
  std::mt19937 random(2);
  for (int round = 0; round < 60; ++round) {
    std::string damaged = whole;
    // Up to the entries: theirs is found when they are used.
    damaged[random() % sizeof(index_format::Header)] ^= static_cast<char>(1 + random() % 255);
    write(list_, damaged);
    EXPECT_EQ(open(images_at(data), list_)->digest(), digest);
    EXPECT_EQ(read_file(list_), whole);
  }
}

TEST_F(SampleIndexTest, LeavesAFileOfAnotherProgramAlone) {
  const fs::path data = folder_ / "data";
  write(data / "cat/a.jpg");
  for (const std::string other :
       {"model weights", "short"}) {  // TensorFlow's checkpoints are NAME.index, too
    write(list_, other);
    const auto [code, message] = error_of([&] { return open(images_at(data), list_); });
    EXPECT_EQ(code, ExitCode::cant_create);
    EXPECT_EQ(message, list_.string() +
                           ": would be the list of samples beside the output, but is a file of "
                           "another program. Choose another output.path, or remove that file if "
                           "nobody needs it");
    EXPECT_EQ(read_file(list_), other);
  }
  write(list_, "");
  EXPECT_EQ(open(images_at(data), list_)->size(), 1);
}

TEST_F(SampleIndexTest, IsUsedAgainUntilAFolderChanges) {
  const fs::path data = folder_ / "data";
  write(data / "cat/deep/a.jpg");
  fs::create_directories(data / "cat/empty");
  make_old(data);
  expect_made_anew(data);
  expect_reused(data);
  write(data / "cat/deep/a.jpg", "other bytes");
  expect_reused(data);
  write(data / "cat/empty/b.jpg");
  expect_made_anew(data);
  expect_made_anew(data);  // the change was a moment ago: another one could follow unseen
  make_old(data);
  expect_made_anew(data);
  expect_reused(data);
  fs::remove(data / "cat/deep/a.jpg");
  expect_made_anew(data);
  fs::create_directories(data / "dog");
  write(data / "dog/a.jpg");
  make_old(data);
  expect_made_anew(data);
  fs::rename(data, folder_ / "moved");
  expect_made_anew(folder_ / "moved");
}

TEST_F(SampleIndexTest, IsUsedAgainUntilAManifestChanges) {
  const fs::path manifest = folder_ / "list.csv";
  write(manifest, "a.jpg,1\n");
  make_old(manifest);
  expect_made_anew(manifest);
  expect_reused(manifest);
  make_old(manifest, 1'000'000'001);
  expect_made_anew(manifest);
  expect_reused(manifest);
  config::Data config = images_at(manifest);
  config.root = folder_ / "elsewhere";
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(open(config, list_)->locations(0, 1)[0].path, (folder_ / "elsewhere/a.jpg").string());
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("indexed"));
  write(manifest, "a.jpg,12\n");
  make_old(manifest, 1'000'000'001);  // the size alone
  expect_made_anew(manifest);
}

TEST_F(SampleIndexTest, WarningsAreRepeated) {
  const fs::path data = folder_ / "data";
  write(data / "cat/a.jpg");
  write(data / "cat/a.bmp");
  make_old(data);
  EXPECT_THAT(log_of_opening(data), HasSubstr("left out 1 image"));
  EXPECT_THAT(log_of_opening(data), AllOf(HasSubstr("read from"), HasSubstr("left out 1 image")));
}

TEST_F(SampleIndexTest, AnotherFormatsListIsNotUsed) {
  write(folder_ / "list.csv", "a.jpg\n");
  write(folder_ / "data/cat/a.jpg");
  make_old(folder_.path());
  expect_made_anew(folder_ / "list.csv");
  expect_made_anew(folder_ / "data");
  expect_reused(folder_ / "data");
}

}  // namespace
}  // namespace polyhead::data
