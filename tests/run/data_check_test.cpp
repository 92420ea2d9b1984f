/// Do the hosts have the same data? A rank with a path of its own stands for a host with another copy.
#include "run/setup/data_check.hpp"

#include <fstream>
#include <optional>
#include <thread>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/comm/local.hpp"
#include "polyhead/h5/h5.hpp"

namespace polyhead::run {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// 200 images of 4x4; image `other` is another one.
void write_images(const fs::path& path, std::int64_t other = -1) {
  h5::File file = h5::File::create(path);
  std::vector<std::uint8_t> pixels;
  for (std::int64_t i = 0; i < 200; ++i)
    pixels.insert(pixels.end(), 16, static_cast<std::uint8_t>(i == other ? 255 : i));
  file.create_dataset("images", h5::Type::u8, {200, 4, 4})
      .write_rows(0, 200, std::span<const std::uint8_t>(pixels));
  file.close();
}

/// Where a rank is, and the data set that it finds there.
struct Rank {
  std::string view;
  fs::path data;
};

/// What each rank is told; code `ok` for nothing.
std::vector<std::pair<ExitCode, std::string>> check(const std::vector<Rank>& ranks) {
  comm::LocalWorld world(static_cast<int>(ranks.size()));
  std::vector<std::pair<ExitCode, std::string>> told(ranks.size());
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    threads.emplace_back([&, i] {
      Inputs inputs;
      inputs.config.data.path = ranks[i].data;
      inputs.config.data.format = config::DataFormat::hdf5;
      inputs.shape = {200, {4, 4}};
      if (i == 0) inputs.dataset = data::open(inputs.config.data, "/none/list");
      const auto collectives = world.collectives(static_cast<int>(i));
      try {
        check_data_is_everywhere(*collectives, inputs, fmt::format("node{}", i), ranks[i].view);
      } catch (const Error& error) {
        told[i] = {error.code(), error.what()};
      }
    });
  }
  threads.clear();
  return told;
}

class DataCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    write_images(folder_ / "good.h5");
    write_images(folder_ / "copy.h5");
    write_images(folder_ / "stale.h5", 199);  // the last one is among the 64
    write_images(folder_ / "other.h5", 1);    // is not
  }
  [[nodiscard]] Rank rank(const std::string& view, const std::string& data) const {
    return {view, folder_ / data};
  }
  TemporaryFolder folder_;
};

TEST_F(DataCheck, EqualCopiesAreFine) {
  for (const auto& [code, text] : check({rank("a", "good.h5"), rank("b", "copy.h5"), rank("b", "copy.h5")}))
    EXPECT_EQ(code, ExitCode{}) << text;
}

TEST_F(DataCheck, AStaleCopyOnOneHostEndsTheJob) {
  const auto told =
      check({rank("a", "good.h5"), rank("a", "good.h5"), rank("b", "copy.h5"), rank("c", "stale.h5")});
  for (const auto& [code, text] : told) {
    EXPECT_EQ(code, ExitCode::bad_data);
    EXPECT_THAT(text,
                AllOf(HasSubstr("rank 3 on node3: "),
                      HasSubstr("stale.h5: the bytes of sample 199 have the "
                                "digest "),
                      HasSubstr("where rank 0 is: this host has another copy of the data. Every host needs "
                                "the same data")));
  }
}

/// One of a host is enough, and none of rank 0's. What is not among the 64 samples is not seen.
TEST_F(DataCheck, OneRankOfEachHostCompares) {
  for (const auto& [code, text] : check({rank("a", "good.h5"), rank("a", "stale.h5"), rank("b", "copy.h5"),
                                         rank("b", "stale.h5"), rank("c", "other.h5")}))
    EXPECT_EQ(code, ExitCode{}) << text;
}

TEST_F(DataCheck, EveryRankLooksForTheSourcesOfItsFile) {
  ASSERT_EQ(polyhead::testing::run_python("data/make_sources.py", folder_.path().string()), 0);
  fs::create_directories(folder_ / "elsewhere");
  fs::copy_file(folder_ / "virtual.h5", folder_ / "elsewhere/virtual.h5");
  const auto told = check({rank("a", "virtual.h5"), rank("a", "elsewhere/virtual.h5")});
  for (const auto& [code, text] : told) {
    EXPECT_EQ(code, ExitCode::no_input);
    EXPECT_THAT(text,
                AllOf(HasSubstr("rank 1 on node1: "), HasSubstr("takes rows from 'parts/part-0.h5', which is "
                                                                "missing")));
  }
}

TEST_F(DataCheck, FilesMustHaveTheSameSize) {
  const std::string path = (folder_ / "good.h5").string();
  const auto size = static_cast<std::int64_t>(fs::file_size(path));
  check_sizes({{path, size}});
  const auto [code, text] = error_of([&] {
    check_sizes({{path, size}, {path, size + 1}});
    return 0;
  });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_EQ(text,
            fmt::format("{}: has {} bytes, but {} bytes where rank 0 is: this host has another copy of the "
                        "data. Every host needs the same data under the same path: on a file system that all "
                        "share, or as a copy made anew",
                        path, size, size + 1));
  EXPECT_THAT(error_of([&] {
                check_sizes({{path + ".gone", 5}});
                return 0;
              }).second,
              HasSubstr("good.h5.gone: No such file or directory, but 5 bytes where rank 0 is"));
}

TEST_F(DataCheck, NamesTheSampleThatDiffers) {
  const std::vector<Digest> there{{1, 0}, {2, 0}, {3, 0}};
  check_digests({}, "x", 3, there, there);
  std::vector<Digest> here = there;
  here[1] = {7, 0};
  const auto [code, text] = error_of([&] {
    check_digests({{"/a/0.jpg"}, {"/a/1.jpg"}, {"/a/2.jpg"}}, "/a", 3, here, there);
    return 0;
  });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text,
              HasSubstr("/a/1.jpg: the bytes of sample 1 have the digest "
                        "00000000000000070000000000000000, but 00000000000000020000000000000000 where rank 0 "
                        "is"));
  here.pop_back();
  here[1] = there[1];
  EXPECT_THAT(error_of([&] {
                check_digests({}, "/a", 3, here, there);
                return 0;
              }).second,
              HasSubstr("/a: the bytes of sample 2 have the digest none, but"));
}

TEST(ViewOfFiles, IsThatOfTheMachineNotOfItsName) {
  EXPECT_EQ(view_of_files("node"), view_of_files("node"));
  EXPECT_NE(view_of_files("node"), view_of_files("other"));
  std::ifstream boot("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(boot, id);
  EXPECT_THAT(view_of_files("node"), AllOf(HasSubstr(id), HasSubstr("mnt:[")));
}

}  // namespace
}  // namespace polyhead::run
