/// HDF5 files whose images lie in other files, or nowhere: HDF5 itself reads fill values there.
#include <algorithm>
#include <cstdlib>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/data/host_data.hpp"
#include "polyhead/data/reader.hpp"

namespace polyhead::data {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
namespace fs = std::filesystem;

class Hdf5Sources : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    made_ = new TemporaryFolder();
    ASSERT_EQ(polyhead::testing::run_python("data/make_sources.py", made_->path().string()), 0);
  }
  static void TearDownTestSuite() { delete made_; }
  void TearDown() override { ::unsetenv("HDF5_VDS_PREFIX"); }

  [[nodiscard]] fs::path path(const std::string& name) const { return *made_ / name; }
  [[nodiscard]] config::Data at(const std::string& name) const {
    config::Data config;
    config.path = path(name);
    return config;
  }
  [[nodiscard]] std::unique_ptr<Dataset> open(const std::string& name) const {
    return data::open(at(name), "/none/list");
  }
  /// Each image's first value before normalisation, which is its number.
  [[nodiscard]] std::vector<int> numbers(const std::string& name) const {
    const auto dataset = open(name);
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(dataset->size()) * 8 * 8 * 3);
    std::vector<Reason> reasons(static_cast<std::size_t>(dataset->size()));
    open_reader(at(name), {dataset->size(), dataset->image_shape()})->read_bytes(0, {}, pixels, reasons);
    std::vector<int> found;
    for (std::size_t i = 0; i < pixels.size(); i += 8 * 8 * 3) found.push_back(pixels[i]);
    return found;
  }
  /// What opening it says, on rank 0 and on others.
  [[nodiscard]] std::string refusal(const std::string& name, ExitCode expected) const {
    const auto [code, text] = error_of([&] { return open(name); });
    EXPECT_EQ(code, expected) << text;
    const auto [other_code, other] = error_of([&] {
      check_sources(at(name));
      return 0;
    });
    EXPECT_EQ(other_code, expected);
    EXPECT_EQ(other, text);
    return text;
  }
  /// A file of the folder under another name, and back.
  class Moved {
   public:
    Moved(fs::path from, fs::path to) : from_(std::move(from)), to_(std::move(to)) { fs::rename(from_, to_); }
    ~Moved() { fs::rename(to_, from_); }

   private:
    fs::path from_;
    fs::path to_;
  };
  static TemporaryFolder* made_;
};

TemporaryFolder* Hdf5Sources::made_ = nullptr;

const std::vector<int> kTwelve{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

TEST_F(Hdf5Sources, AreReadWhereAllAreThere) {
  for (const char* name : {"virtual.h5", "absolute.h5", "selected.h5", "interleaved.h5", "nested.h5",
                           "blocks.h5", "grown.h5", "external.h5"})
    EXPECT_EQ(numbers(name), kTwelve) << name;
}

TEST_F(Hdf5Sources, EachMustBeThere) {
  for (int part = 0; part < 3; ++part) {
    const std::string file = fmt::format("parts/part-{}.h5", part);
    const Moved gone(path(file), path("gone.h5"));
    EXPECT_THAT(
        refusal("virtual.h5", ExitCode::no_input),
        AllOf(HasSubstr(fmt::format("virtual.h5:/images: is a virtual dataset that takes rows from '{}', "
                                    "which is missing (tried {}, {})",
                                    file, path(file).string(), file)),
              HasSubstr("HDF5_VDS_PREFIX")));
    EXPECT_THAT(refusal("nested.h5", ExitCode::no_input),
                HasSubstr("virtual.h5:images: is a virtual dataset"));
    EXPECT_THAT(refusal("absolute.h5", ExitCode::no_input), HasSubstr(path(file).string()));
  }
  const Moved gone(path("odd/odd.h5"), path("gone.h5"));
  EXPECT_THAT(refusal("grown.h5", ExitCode::no_input),
              HasSubstr("takes rows from 'odd/odd.h5', which is missing"));
}

TEST_F(Hdf5Sources, AreLookedForWhereHdf5Looks) {
  fs::create_directories(path("elsewhere/parts"));
  for (int part = 0; part < 3; ++part)
    fs::rename(path(fmt::format("parts/part-{}.h5", part)),
               path(fmt::format("elsewhere/parts/part-{}.h5", part)));
  EXPECT_THAT(refusal("virtual.h5", ExitCode::no_input), HasSubstr("part-0.h5"));
  ::setenv("HDF5_VDS_PREFIX", ("/none:" + path("elsewhere").string()).c_str(), 1);
  EXPECT_EQ(numbers("virtual.h5"), kTwelve);
  ::unsetenv("HDF5_VDS_PREFIX");
  // Beside the file that a link leads to.
  fs::copy_file(path("virtual.h5"), path("elsewhere/virtual.h5"));
  EXPECT_EQ(numbers("elsewhere/virtual.h5"), kTwelve);
  fs::create_symlink(path("elsewhere/virtual.h5"), path("link.h5"));
  EXPECT_EQ(numbers("link.h5"), kTwelve);
  // An absolute path that is gone: the name alone, beside the file.
  fs::copy_file(path("absolute.h5"), path("elsewhere/parts/absolute.h5"));
  EXPECT_EQ(numbers("elsewhere/parts/absolute.h5"), kTwelve);
  for (int part = 0; part < 3; ++part)
    fs::rename(path(fmt::format("elsewhere/parts/part-{}.h5", part)),
               path(fmt::format("parts/part-{}.h5", part)));
  fs::remove(path("link.h5"));
}

TEST_F(Hdf5Sources, MustHoldTheRowsThatAreMapped) {
  const Moved gone(path("parts/part-1.h5"), path("gone.h5"));
  fs::copy_file(path("odd/odd.h5"), path("parts/part-1.h5"));
  EXPECT_EQ(open("virtual.h5")->size(), 12) << "6 rows are more than 4";
  ASSERT_EQ(polyhead::testing::run_python("data/resize_dataset.py",
                                          fmt::format("'{}' 3", path("parts/part-1.h5").string())),
            0);
  EXPECT_THAT(
      refusal("virtual.h5", ExitCode::bad_data),
      HasSubstr(
          "takes rows from parts/part-1.h5:images, which has the shape [3, 8, 8, 3]; expected [4, 8, 8, 3]"));
  EXPECT_THAT(
      refusal("selected.h5", ExitCode::bad_data),
      HasSubstr("takes rows from parts/part-1.h5:images, which is too small: dimension 0 has 3; expected at "
                "least 4"));
  fs::remove(path("parts/part-1.h5"));
  std::ofstream(path("parts/part-1.h5")) << "no HDF5";
  EXPECT_THAT(refusal("virtual.h5", ExitCode::bad_data), HasSubstr("which cannot be read as HDF5"));
  fs::remove(path("parts/part-1.h5"));
  fs::copy_file(path("raw.h5"), path("parts/part-1.h5"));
  EXPECT_THAT(refusal("virtual.h5", ExitCode::bad_data),
              HasSubstr("takes rows from 'images' in the file parts/part-1.h5, which has no such dataset"));
  fs::remove(path("parts/part-1.h5"));
}

TEST_F(Hdf5Sources, WithoutAnEndMustReachAsFarAsTheOthers) {
  const Moved gone(path("odd/odd.h5"), path("gone.h5"));
  fs::copy_file(path("gone.h5"), path("odd/odd.h5"));
  ASSERT_EQ(polyhead::testing::run_python("data/resize_dataset.py",
                                          fmt::format("'{}' 2", path("odd/odd.h5").string())),
            0);
  EXPECT_THAT(
      refusal("grown.h5", ExitCode::bad_data),
      HasSubstr("takes rows from odd/odd.h5:images, which is too small: dimension 0 has 2; expected at least "
                "5"));
  fs::remove(path("odd/odd.h5"));
}

TEST_F(Hdf5Sources, MustCoverTheWholeDataset) {
  EXPECT_THAT(
      refusal("gap.h5", ExitCode::bad_data),
      HasSubstr("gap.h5:/images: is a virtual dataset of 2304 values, of which 1536 come from a source"));
  EXPECT_THAT(refusal("overlap.h5", ExitCode::bad_data), HasSubstr("of which 1536 come from a source"))
      << "rows that have two sources count once";
  EXPECT_THAT(refusal("every_fourth.h5", ExitCode::bad_data), HasSubstr("of which 1728 come from a source"));
  EXPECT_EQ(numbers("twice.h5"), kTwelve);
}

TEST_F(Hdf5Sources, ExternalFilesMustBeLongEnough) {
  {
    const Moved gone(path("raw-1.bin"), path("gone.bin"));
    EXPECT_THAT(refusal("external.h5", ExitCode::no_input),
                AllOf(HasSubstr("external.h5:/images: its values are in the external file"),
                      HasSubstr("raw-1.bin', which is not there"), HasSubstr("HDF5_EXTFILE_PREFIX")));
  }
  const auto size = fs::file_size(path("raw-1.bin"));
  for (const char* name : {"raw-0.bin", "raw-1.bin"}) {
    const auto whole = fs::file_size(path(name));
    fs::copy_file(path(name), path("kept.bin"), fs::copy_options::overwrite_existing);
    fs::resize_file(path(name), whole - 1);
    EXPECT_THAT(
        refusal("external.h5", ExitCode::bad_data),
        HasSubstr(fmt::format("{}', which has {} bytes; expected at least {}", name, whole - 1, whole)));
    fs::copy_file(path("kept.bin"), path(name), fs::copy_options::overwrite_existing);
  }
  EXPECT_EQ(size, fs::file_size(path("raw-1.bin")));
}

TEST_F(Hdf5Sources, WarnsOfChunksThatWereNeverWritten) {
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(open("holes.h5")->size(), 12);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              HasSubstr("holes.h5:/images: 1 of 3 chunks were never written"));
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(open("parts/part-0.h5")->size(), 4);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), Not(HasSubstr("never written")));
}

TEST_F(Hdf5Sources, RefusesWhatWasNeverWritten) {
  for (const char* name : {"nothing.h5", "no_chunk.h5"}) {
    EXPECT_THAT(refusal(name, ExitCode::bad_data), HasSubstr(":/images: nothing was ever written to it"))
        << name;
  }
}

TEST_F(Hdf5Sources, NamesTheFilterThatIsMissing) {
  EXPECT_THAT(refusal("filter.h5", ExitCode::bad_data),
              AllOf(HasSubstr("filter.h5:/images: packed with lzf (32000), which HDF5 does not have here"),
                    HasSubstr("HDF5_PLUGIN_PATH"), HasSubstr("pack the file anew")));
}

TEST_F(Hdf5Sources, TellsChangesOfTheOtherFiles) {
  const auto dataset = open("virtual.h5");
  EXPECT_EQ(dataset->files(1).size(), 4);
  for (const std::string& file : dataset->files(1))
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(1));
  const auto before = dataset->stamps(0, 4);
  ASSERT_TRUE(before);
  EXPECT_EQ(dataset->stamps(8, 4), before);
  fs::last_write_time(path("parts/part-2.h5"), fs::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_NE(dataset->stamps(0, 4), before);
  fs::last_write_time(path("parts/part-2.h5"), fs::file_time_type::clock::now());
  EXPECT_FALSE(dataset->stamps(0, 4)) << "it may change again within the same tick of the clock";
}

TEST_F(Hdf5Sources, HostsAgreeOnTheDigests) {
  for (const char* name : {"virtual.h5", "external.h5"}) {
    const auto dataset = open(name);
    const DatasetShape shape{dataset->size(), dataset->image_shape()};
    EXPECT_EQ(digest_samples(at(name), shape, {}), dataset->digest().samples) << name;
  }
  EXPECT_THAT(error_of([&] {
                return digest_samples(at("virtual.h5"), {13, {8, 8}}, {});
              }).second,
              HasSubstr("another data set than rank 0"));
}

}  // namespace
}  // namespace polyhead::data
