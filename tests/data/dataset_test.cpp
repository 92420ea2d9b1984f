#include "polyhead/data/dataset.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>

#include "../support.hpp"
#include "data/hdf5/hdf5_reader.hpp"
#include "polyhead/data/reader.hpp"
#include "polyhead/h5/h5.hpp"

namespace polyhead::data {
namespace {

using h5::Type;
using polyhead::testing::error_of;
using polyhead::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Shape = std::vector<std::int64_t>;

config::Data at(const std::filesystem::path& path) {
  config::Data config;
  config.path = path;
  return config;
}

/// A file with one dataset, its values as they come.
std::filesystem::path with_dataset(const TemporaryFolder& folder, const std::string& name, Type type,
                                   const Shape& shape) {
  auto path = folder / fmt::format("{}-{}-{}.h5", name, h5::name_of(type), shape.size());
  std::filesystem::remove(path);
  h5::File file = h5::File::create(path);
  static_cast<void>(file.create_dataset(name, type, shape));
  file.close();
  return path;
}

/// Images 4x4x1 with their number as value, and `labels` if there are any.
template <class Label = std::int32_t>
std::filesystem::path numbered(const TemporaryFolder& folder, const std::string& name, std::int64_t images,
                               const std::vector<Label>& labels = {}, Type type = Type::i32) {
  auto path = folder / name;
  h5::File file = h5::File::create(path);
  std::vector<std::uint8_t> pixels;
  for (std::int64_t i = 0; i < images; ++i) pixels.insert(pixels.end(), 16, static_cast<std::uint8_t>(i));
  file.create_dataset("images", Type::u8, {images, 4, 4})
      .write_rows(0, images, std::span<const std::uint8_t>(pixels));
  const auto count = static_cast<std::int64_t>(labels.size());
  if (count > 0)
    file.create_dataset("labels", type, {count}).write_rows(0, count, std::span<const Label>(labels));
  file.close();
  return path;
}

/// HDF5 needs no list of samples.
std::unique_ptr<Dataset> open(const config::Data& config) {
  return data::open(config, "/none/list");
}

DatasetShape shape_of(const config::Data& config) {
  const auto dataset = open(config);
  return {dataset->size(), dataset->image_shape()};
}

std::vector<float> read(const config::Data& config, std::int64_t first, std::int64_t count) {
  const DatasetShape shape = shape_of(config);
  std::vector<float> pixels(static_cast<std::size_t>(count * shape.image.values()));
  std::vector<Reason> reasons(static_cast<std::size_t>(count), Reason::score_not_finite);
  open_reader(config, shape)->read(first, {}, pixels, reasons);
  EXPECT_THAT(reasons, Each(Reason::none));
  return pixels;
}

std::vector<std::int32_t> labels_of(Dataset& dataset, std::int64_t first, std::int64_t count) {
  std::vector<std::int32_t> labels(static_cast<std::size_t>(count), 99);
  dataset.read_labels(first, labels);
  return labels;
}

TEST(Hdf5Dataset, TellsWhatItHolds) {
  const TemporaryFolder folder;
  const auto path = numbered<std::int32_t>(folder, "a.h5", 5, {4, 3, -1, 1, 0});
  const auto dataset = open(at(path));
  EXPECT_EQ(dataset->size(), 5);
  EXPECT_EQ(dataset->image_shape(), (ImageShape{4, 4}));
  EXPECT_TRUE(dataset->labelled());
  EXPECT_EQ(dataset->sample_id(3), "3");
  EXPECT_EQ(dataset->describe(), path.string() + ": 5 images, uint8 4x4, labelled");
  EXPECT_THAT(labels_of(*dataset, 1, 4), ElementsAre(3, -1, 1, 0));
  EXPECT_THAT(read(at(path), 4, 1), Each(4.0F / 255.0F));
  EXPECT_THAT(dataset->locations(0, 5), IsEmpty());
  EXPECT_GT(open_reader(at(path), shape_of(at(path)))->grain(), 1000);
}

TEST(Hdf5Dataset, LabelsMayBeMissing) {
  const TemporaryFolder folder;
  const auto path = numbered(folder, "a.h5", 3);
  const auto dataset = open(at(path));
  EXPECT_FALSE(dataset->labelled());
  EXPECT_THAT(dataset->describe(), EndsWith("without labels"));
  EXPECT_THAT(labels_of(*dataset, 0, 3), Each(-1));
}

TEST(Hdf5Dataset, ReadsManyLabels) {
  const TemporaryFolder folder;
  std::vector<std::int32_t> labels(200'000);
  std::iota(labels.begin(), labels.end(), 0);
  const auto path = folder / "many.h5";
  h5::File file = h5::File::create(path);
  static_cast<void>(file.create_dataset("images", Type::u8, {200'000, 1, 1}));
  file.create_dataset("labels", Type::i32, {200'000})
      .write_rows(0, 200'000, std::span<const std::int32_t>(labels));
  file.close();
  EXPECT_EQ(labels_of(*open(at(path)), 0, 200'000), labels);
}

TEST(Hdf5Dataset, ReadsAnyPieces) {
  const TemporaryFolder folder;
  const config::Data config = at(numbered(folder, "a.h5", 20));
  const auto all = read(config, 0, 20);
  for (const std::int64_t step : {1, 3, 7}) {
    std::vector<float> pieces;
    for (std::int64_t first = 0; first < 20; first += step) {
      const auto piece = read(config, first, std::min(step, 20 - first));
      pieces.insert(pieces.end(), piece.begin(), piece.end());
    }
    EXPECT_EQ(pieces, all);
  }
}

/// More bytes than are read at once, the crop from the middle of each.
TEST(Hdf5Dataset, ReadsLargeImagesInSlices) {
  const TemporaryFolder folder;
  constexpr std::int64_t kSide = 1700;
  const auto path = folder / "large.h5";
  h5::File file = h5::File::create(path);
  const auto images = file.create_dataset("images", Type::u8, {5, kSide, kSide, 3});
  for (std::int64_t i = 0; i < 5; ++i) {
    const std::vector<std::uint8_t> pixels(kSide * kSide * 3, static_cast<std::uint8_t>(50 * i));
    images.write_rows(i, 1, std::span<const std::uint8_t>(pixels));
  }
  file.close();
  config::Data config = at(path);
  config.preprocess.crop = 2;
  const auto pixels = read(config, 0, 5);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::size_t image = i / 12;
    EXPECT_EQ(pixels[i], static_cast<float>(50 * image) / 255.0F);
  }
}

TEST(Hdf5Reader, RefusesAnotherDataSetThanRank0s) {
  const TemporaryFolder folder;
  const config::Data config = at(numbered(folder, "a.h5", 3));
  const auto [code, text] = error_of([&] { return open_reader(config, {4, {4, 4}}); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("a.h5:/images: this rank sees another data set than rank 0: found 3 samples of "
                              "4x4 after preprocessing, expected 4 samples of 4x4"));
}

TEST(Hdf5Reader, ManyReadAtTheSameTime) {
  const TemporaryFolder folder;
  const config::Data config = at(numbered(folder, "a.h5", 100));
  const DatasetShape shape = shape_of(config);
  const auto expected = read(config, 0, 100);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      std::vector<float> pixels(expected.size());
      std::vector<Reason> reasons(100);
      open_reader(config, shape)->read(0, {}, pixels, reasons);
      EXPECT_EQ(pixels, expected);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

/// Sees how many samples were finished while HDF5 was in use.
class WatchedTurn : public Hdf5Turn {
 public:
  explicit WatchedTurn(const std::vector<float>& pixels) : pixels_(pixels) {}
  void lock() override {
    Hdf5Turn::lock();
    before_ = unfinished();
    ++turns;
  }
  void unlock() override {
    finished_meanwhile += before_ - unfinished();
    Hdf5Turn::unlock();
  }
  std::int64_t turns = 0;
  std::int64_t finished_meanwhile = 0;

 private:
  [[nodiscard]] std::int64_t unfinished() const { return std::ranges::count(pixels_, -1.0F); }
  const std::vector<float>& pixels_;
  std::int64_t before_ = 0;
};

TEST(Hdf5Reader, OthersMayReadWhileItPreprocesses) {
  const TemporaryFolder folder;
  config::Data config = at(with_dataset(folder, "images", Type::u8, {5, 700, 600, 3}));
  config.preprocess.crop = 2;
  std::vector<float> pixels(60, -1.0F);
  WatchedTurn turn(pixels);
  const auto reader = open_hdf5_reader(config, {5, {2, 2}}, turn);
  EXPECT_EQ(reader->grain(), 1);
  std::vector<Reason> reasons(5);
  turn.turns = 0;
  reader->read(0, {}, pixels, reasons);
  EXPECT_THAT(pixels, Each(0.0F));
  EXPECT_EQ(turn.turns, 5);
  EXPECT_EQ(turn.finished_meanwhile, 0);
}

TEST(Hdf5Reader, RefusesABufferOfTheWrongSize) {
  const TemporaryFolder folder;
  const config::Data config = at(numbered(folder, "a.h5", 3));
  const auto reader = open_reader(config, shape_of(config));
  std::vector<float> pixels(48);
  std::vector<Reason> reasons(2);
  const auto [code, text] = error_of([&] { return reader->read(0, {}, pixels, reasons), 0; });
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_THAT(text, HasSubstr("2 samples are 96 values, the buffer has 48"));
}

/// h5py's files: layouts and types that polyhead's writer does not make, and damage.
class Foreign : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(polyhead::testing::run_python("data/make_files.py", "'" + folder_.path().string() + "'"), 0);
  }
  config::Data choose(const std::string& file, const std::string& images, const std::string& labels) {
    config::Data config = at(folder_ / file);
    config.images = images;
    config.labels = labels;
    return config;
  }
  void expect_refused(const config::Data& config, const std::string& message) {
    const auto [code, text] = error_of([&] { return open(config); });
    EXPECT_EQ(code, ExitCode::bad_data);
    EXPECT_THAT(text, AllOf(HasSubstr(config.path.string()), HasSubstr(message)));
  }
  TemporaryFolder folder_;
};

TEST_F(Foreign, EveryLayoutGivesTheSame) {
  const auto expected = read(choose("good.h5", "plain", "labels"), 0, 50);
  const auto packed = open(choose("good.h5", "packed", "column"));
  EXPECT_EQ(read(choose("good.h5", "packed", "column"), 0, 50), expected);
  EXPECT_EQ(labels_of(*packed, 48, 2), (std::vector<std::int32_t>{48, 49}));
  const auto doubles = open(choose("good.h5", "big_endian", "bytes"));
  EXPECT_THAT(doubles->describe(), HasSubstr("float64 3x6x5"));
  EXPECT_EQ(read(choose("good.h5", "big_endian", "bytes"), 0, 50), expected);
  EXPECT_EQ(labels_of(*doubles, 0, 2), (std::vector<std::int32_t>{-1, 0}));
}

TEST_F(Foreign, FloatsAreNotGivenAsBytes) {
  const config::Data config = choose("good.h5", "big_endian", "bytes");
  const auto reader = open_reader(config, shape_of(config));
  EXPECT_FALSE(reader->gives_bytes());
  std::vector<std::uint8_t> bytes(90);
  std::vector<Reason> reasons(1);
  EXPECT_EQ(error_of([&] { return reader->read_bytes(0, {}, bytes, reasons), 0; }).first, ExitCode::internal);
}

/// What is packed together is read together: other readers would unpack it again.
TEST_F(Foreign, ReadsWholeChunks) {
  const auto grain = [&](const std::string& images) {
    const config::Data config = choose("chunks.h5", images, "none");
    return open_reader(config, {20, {600, 600}})->grain();
  };
  EXPECT_EQ(grain("plain"), 2);  // a MiB
  EXPECT_EQ(grain("one"), 2);
  EXPECT_EQ(grain("eight"), 8);
  EXPECT_EQ(grain("all"), 20);
}

TEST_F(Foreign, RefusesOtherTypes) {
  expect_refused(choose("bad.h5", "half", "labels"),
                 ":/half is a type that is not a plain number [4, 3, 6, 5]");
  expect_refused(choose("bad.h5", "texts", "labels"), "expected uint8 [N, H, W, C]");
  expect_refused(choose("bad.h5", "group", "labels"), "(data.images chooses the dataset)");
  expect_refused(choose("bad.h5", "images", "flags"), "expected integers [N] or [N, 1]");
}

TEST_F(Foreign, RefusesALabelThatNoIntegerHolds) {
  const auto dataset = open(choose("bad.h5", "images", "beyond"));
  const auto [code, text] = error_of([&] { return labels_of(*dataset, 0, 50); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("sample 0 has label"));
}

TEST_F(Foreign, NamesTheRowsThatCannotBeRead) {
  const config::Data config = choose("damaged.h5", "images", "labels");
  EXPECT_NO_THROW(read(config, 0, 20));
  const DatasetShape shape = shape_of(config);
  std::vector<float> pixels(static_cast<std::size_t>(8 * shape.image.values()));
  std::vector<Reason> reasons(8);
  const auto reader = open_reader(config, shape);
  const auto [code, text] = error_of([&] { return reader->read(16, {}, pixels, reasons), 0; });
  EXPECT_EQ(code, ExitCode::io_error);
  EXPECT_THAT(text, HasSubstr("damaged.h5:/images: cannot read rows 16 to 23"));
}

TEST_F(Foreign, RefusesATruncatedFile) {
  const auto path = folder_ / "good.h5";
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 100);
  expect_refused(choose("good.h5", "plain", "labels"), "truncated file");
}

TEST(Hdf5Dataset, RefusesImagesThatAreNone) {
  const TemporaryFolder folder;
  struct Bad {
    Type type;
    Shape shape;
    const char* message;
  };
  for (const Bad& bad : std::vector<Bad>{
           {Type::i16,
            {4, 8, 8, 3},
            "/images is int16 [4, 8, 8, 3]; expected uint8 [N, H, W, C] or [N, H, W], or "
            "float32 or float64 [N, C, H, W], with C 1 or 3"},
           {Type::u8, {4}, "is uint8 [4]; expected"},
           {Type::u8, {4, 8, 8, 4}, "is uint8 [4, 8, 8, 4]; expected"},
           {Type::u8, {4, 3, 8, 8}, "images.transpose(0, 2, 3, 1)"},
           {Type::f32, {4, 8, 8, 3}, "images.transpose(0, 3, 1, 2)"},
           {Type::f32, {4, 8, 8}, "is float32 [4, 8, 8]; expected"},
           {Type::f64, {4, 2, 8, 8}, "is float64 [4, 2, 8, 8]; expected"},
           {Type::u8, {0, 8, 8, 3}, "it holds no samples; expected at least one"},
           {Type::u8, {4, 0, 8, 3}, "its images hold no pixels; expected at least 1x1"},
           {Type::f32, {4, 3, 8, 0}, "its images hold no pixels; expected at least 1x1"},
       }) {
    const auto [code, text] =
        error_of([&] { return open(at(with_dataset(folder, "images", bad.type, bad.shape))); });
    EXPECT_EQ(code, ExitCode::bad_data);
    EXPECT_THAT(text, AllOf(HasSubstr(folder.path().string()), HasSubstr(bad.message)));
  }
}

TEST(Hdf5Dataset, RefusesAbsurdImagesWithoutAllocatingThem) {
  const TemporaryFolder folder;
  const auto path = with_dataset(folder, "images", Type::u8, {1, 65536, 32768});
  const auto [code, text] = error_of([&] { return open(at(path)); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("an image of 2147483648 values is too large; expected fewer than 2147483648"));
}

TEST(Hdf5Dataset, RefusesACropThatDoesNotFit) {
  const TemporaryFolder folder;
  config::Data config = at(numbered(folder, "a.h5", 3));
  config.preprocess.crop = 5;
  const auto [code, text] = error_of([&] { return open(config); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("a.h5:/images: images of 4x4 (height x width) are smaller than "
                              "data.preprocess.crop: 5"));
}

TEST(Hdf5Dataset, SaysWhatTheFileHoldsInstead) {
  const TemporaryFolder folder;
  const auto path = with_dataset(folder, "image", Type::u8, {4, 8, 8, 3});
  const auto [code, text] = error_of([&] { return open(at(path)); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, AllOf(HasSubstr("has no dataset 'images'; '/' holds: image"),
                          HasSubstr("did you mean 'image'? (data.images chooses the dataset)")));
}

TEST(Hdf5Dataset, LabelsThatWereAskedForMustBeThere) {
  const TemporaryFolder folder;
  config::Data config = at(numbered<std::int32_t>(folder, "a.h5", 2, {0, 1}));
  config.labels = "label";
  const auto [code, text] = error_of([&] { return open(config); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, AllOf(HasSubstr("has no dataset 'label'"), HasSubstr("did you mean 'labels'?"),
                          HasSubstr("data.labels")));
}

TEST(Hdf5Dataset, RefusesLabelsThatDoNotFitTheImages) {
  const TemporaryFolder folder;
  const auto path = numbered<std::int32_t>(folder, "a.h5", 3, {0, 1});
  const auto [code, text] = error_of([&] { return open(at(path)); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("a.h5:/labels holds 2 labels for 3 images"));

  config::Data config = at(path);
  config.labels = "images";
  const auto [other_code, other] = error_of([&] { return open(config); });
  EXPECT_EQ(other_code, ExitCode::bad_data);
  EXPECT_THAT(other, HasSubstr("is uint8 [3, 4, 4]; expected integers [N] or [N, 1]"));
}

TEST(Hdf5Dataset, NamesTheSampleWithABadLabel) {
  const TemporaryFolder folder;
  const auto negative = open(at(numbered<std::int32_t>(folder, "a.h5", 3, {0, 1, -7})));
  auto [code, text] = error_of([&] { return labels_of(*negative, 1, 2); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text,
              HasSubstr("a.h5:/labels: sample 2 has label -7; expected a class from 0 to 2147483647, or -1 "
                        "for unknown"));
  const std::vector<std::int64_t> wide{std::numeric_limits<std::int32_t>::max(), std::int64_t{1} << 31U};
  const auto large = open(at(numbered(folder, "b.h5", 2, wide, Type::i64)));
  EXPECT_EQ(labels_of(*large, 0, 1)[0], std::numeric_limits<std::int32_t>::max());
  std::tie(code, text) = error_of([&] { return labels_of(*large, 0, 2); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("sample 1 has label 2147483648"));
}

TEST(Hdf5Dataset, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] { return open(at(folder / "none.h5")); }).first, ExitCode::no_input);
  std::ofstream(folder / "text.h5") << "not HDF5 at all";
  EXPECT_EQ(error_of([&] { return open(at(folder / "text.h5")); }).first, ExitCode::bad_data);
}

void overwrite(const std::filesystem::path& path, std::uint64_t offset, char byte) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
  ASSERT_TRUE(file);
}

TEST(Digest, SeesEveryLabelAndTheFirstAndLastImage) {
  const TemporaryFolder folder;
  const std::vector<std::int32_t> labels(200, 1);
  const auto path = numbered(folder, "a.h5", 200, labels);
  const auto digest = open(at(path))->digest();
  EXPECT_EQ(open(at(numbered(folder, "same.h5", 200, labels)))->digest(), digest);
  EXPECT_NE(open(at(numbered(folder, "unlabelled.h5", 200)))->digest(), digest);
  EXPECT_NE(open(at(numbered(folder, "shorter.h5", 199, {labels.begin(), labels.end() - 1})))->digest(),
            digest);

  const std::uint64_t images = *h5::File::open(path).dataset("images").offset();
  const std::uint64_t label = *h5::File::open(path).dataset("labels").offset() + std::uint64_t{77} * 4;
  for (const std::uint64_t offset : {images, images + std::uint64_t{199} * 16 + 15, label}) {
    std::filesystem::copy_file(path, folder / "changed.h5",
                               std::filesystem::copy_options::overwrite_existing);
    overwrite(folder / "changed.h5", offset, 42);
    EXPECT_NE(open(at(folder / "changed.h5"))->digest(), digest) << offset;
  }
}

/// Bytes that this process has read from files so far, whether they were cached or not.
std::uint64_t bytes_read() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::uint64_t value = 0;
  io >> name >> value;
  EXPECT_EQ(name, "rchar:");
  return value;
}

TEST(Digest, DoesNotReadTheFileThrough) {
  const TemporaryFolder folder;
  constexpr std::int64_t kImage = std::int64_t{224} * 224 * 3;
  const auto path =
      with_dataset(folder, "images", Type::u8, {(std::int64_t{10} << 30U) / kImage, 224, 224, 3});
  ASSERT_GT(std::filesystem::file_size(path), std::uint64_t{10'000'000'000});
  const std::uint64_t before = bytes_read();
  static_cast<void>(open(at(path))->digest());
  EXPECT_LT(bytes_read() - before, 74 * kImage + 65536);  // eight are looked at for the pixels' unit
}

TEST(Digest, SeesTheType) {
  const TemporaryFolder folder;
  const auto single = with_dataset(folder, "images", Type::f32, {2, 1, 4, 4});
  const auto twice = with_dataset(folder, "images", Type::f64, {2, 1, 4, 4});
  EXPECT_NE(open(at(single))->digest(), open(at(twice))->digest());
}

}  // namespace
}  // namespace polyhead::data
