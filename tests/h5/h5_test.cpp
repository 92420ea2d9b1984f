#include "polyhead/h5/h5.hpp"

#include <fstream>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>

#include "../support.hpp"

namespace polyhead::h5 {
namespace {

using polyhead::testing::error_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
constexpr std::int64_t kRow = 90;  // elements: 6 x 5 x 3

/// One file of h5py's for all tests.
class Oracle : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<polyhead::testing::TemporaryFolder>();
    ASSERT_EQ(polyhead::testing::run_python("h5/oracle.py", "make '" + path().string() + "'"), 0);
  }
  static void TearDownTestSuite() { folder_.reset(); }
  static std::filesystem::path path() { return *folder_ / "oracle.h5"; }
  const File& file() const { return file_; }

 private:
  static inline std::unique_ptr<polyhead::testing::TemporaryFolder> folder_;
  File file_ = File::open(path());
};

template <class T>
std::vector<T> expected(std::int64_t first, std::int64_t count, std::int64_t modulus) {
  std::vector<T> values;
  for (std::int64_t i = first * kRow; i < (first + count) * kRow; ++i)
    values.push_back(static_cast<T>(i % modulus));
  return values;
}

TEST_F(Oracle, ReadsRowsOfEveryLayout) {
  for (const auto* name : {"contiguous", "chunked"}) {
    const Dataset dataset = file().dataset(name);
    EXPECT_EQ(dataset.describe(), "uint8 [70, 6, 5, 3]");
    std::vector<std::uint8_t> rows(33 * kRow);
    dataset.read_rows(30, 33, std::span(rows));
    EXPECT_EQ(rows, expected<std::uint8_t>(30, 33, 251)) << name;
  }
  std::vector<float> rows(70 * kRow);
  file().dataset("packed").read_rows(0, 70, std::span(rows));
  EXPECT_EQ(rows, expected<float>(0, 70, 1 << 30));
}

TEST_F(Oracle, ReadsRowByRowThroughTheChunkCache) {
  const Dataset wide = file().dataset("wide");
  std::vector<float> row(2048);
  for (const std::int64_t i : {0, 1, 499, 500, 1499}) {
    wide.read_rows(i, 1, std::span(row));
    EXPECT_EQ(row.front(), static_cast<float>(i * 2048));
    EXPECT_EQ(row.back(), static_cast<float>(i * 2048 + 2047));
  }
}

TEST_F(Oracle, ConvertsByteOrderAndType) {
  EXPECT_EQ(file().dataset("big").type(), Type::i32);
  std::vector<float> floats(2 * kRow);
  file().dataset("big").read_rows(68, 2, std::span(floats));
  EXPECT_EQ(floats, expected<float>(68, 2, 1 << 30));
  std::vector<std::int32_t> labels(3);
  file().dataset("/group/inner/labels").read_rows(0, 3, std::span(labels));
  EXPECT_THAT(labels, ElementsAre(3, -1, 2));
}

TEST_F(Oracle, ReadsFromAnyThread) {
  std::vector<std::string> messages(4);
  std::vector<std::thread> threads;
  threads.reserve(messages.size());
  for (std::string& message : messages) {
    threads.emplace_back([&] { message = error_of([&] { return file().dataset("missing"); }).second; });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& message : messages) EXPECT_THAT(message, HasSubstr("has no dataset 'missing'"));
}

TEST_F(Oracle, KnowsWhatIsNotAPlainNumber) {
  EXPECT_EQ(file().dataset("flags").type(), Type::other);
  EXPECT_EQ(file().dataset("half").type(), Type::other);
  EXPECT_EQ(file().dataset("variable").describe(), "a type that is not a plain number [3]");
  EXPECT_EQ(error_of([] { return size_of(Type::other); }).first, ExitCode::internal);
}

TEST_F(Oracle, ReadsNothingFromNothing) {
  std::vector<float> none;
  EXPECT_THAT(file().dataset("one").shape(), IsEmpty());
  EXPECT_THAT(file().dataset("none").shape(), IsEmpty());
  file().dataset("empty").read_rows(0, 0, std::span(none));
  file().dataset("contiguous").read_rows(70, 0, std::span(none));
  file().dataset("one").read_rows(0, 0, std::span(none));
  EXPECT_EQ(error_of([&] { file().dataset("one").read_rows(0, 1, std::span(none)); }).first,
            ExitCode::internal);
}

TEST_F(Oracle, RefusesARangeOutsideTheDataset) {
  const Dataset dataset = file().dataset("contiguous");
  std::vector<std::uint8_t> rows(2 * kRow);
  const auto [code, message] = error_of([&] { dataset.read_rows(69, 2, std::span(rows)); });
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_THAT(message,
              AllOf(HasSubstr(":/contiguous"), HasSubstr("2 rows from row 69 asked for, it has 70")));
  EXPECT_THROW(dataset.read_rows(-1, 2, std::span(rows)), Error);
  EXPECT_THROW(dataset.read_rows(1, INT64_MAX, std::span(rows)), Error);
  EXPECT_THROW(dataset.read_rows(INT64_MAX, 1, std::span(rows)), Error);
  EXPECT_THAT(error_of([&] { dataset.read_rows(0, 1, std::span(rows)); }).second,
              HasSubstr("1 rows are 90 bytes, the buffer has 180"));
}

TEST_F(Oracle, PassesOnWhyALibraryCallFailed) {
  std::vector<float> rows(kRow);
  const auto [code, message] = error_of([&] { file().dataset("lzf").read_rows(0, 1, std::span(rows)); });
  EXPECT_EQ(code, ExitCode::io_error);
  EXPECT_THAT(message, AllOf(HasSubstr(":/lzf: cannot read rows 0 to 0"), HasSubstr("filter 'lzf'")));
}

TEST_F(Oracle, NamesFiltersThatAreNotHere) {
  const auto [code, message] = error_of([&] { file().dataset("lzf").check_filters(); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(message, HasSubstr(":/lzf: packed with lzf (32000), which HDF5 does not have here"));
  for (const auto* name : {"contiguous", "chunked", "packed", "wide", "sparse", "group/inner/labels"})
    EXPECT_NO_THROW(file().dataset(name).check_filters()) << name;
}

TEST_F(Oracle, AFilterThatNoChunkWasPackedWithIsNotNeeded) {
  EXPECT_NO_THROW(file().dataset("skipped").check_filters());
  EXPECT_THAT(file().dataset("skipped").check_sources(), IsEmpty());
  std::vector<std::uint8_t> rows(32);
  file().dataset("skipped").read_rows(0, 4, std::span(rows));
  EXPECT_EQ(rows[31], 31);
  EXPECT_NO_THROW(file().dataset("untouched").check_filters());
  file().dataset("untouched").read_rows(0, 4, std::span(rows));
  EXPECT_EQ(rows[31], 0);
}

TEST_F(Oracle, SurvivesSillyShapes) {
  EXPECT_THAT(error_of([&] { return file().dataset("silly"); }).second, HasSubstr("beyond 2^60"));
  const Dataset sparse = file().dataset("sparse");
  std::vector<float> last(8);
  sparse.read_rows(sparse.shape()[0] - 1, 1, std::span(last));
  EXPECT_THAT(last, ElementsAre(2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5));
  EXPECT_EQ(error_of([&] { return file().read_strings("too_many_strings"); }).first, ExitCode::bad_data);
  EXPECT_EQ(error_of([&] { return file().read_strings("too_many_variable"); }).first, ExitCode::bad_data);
}

TEST_F(Oracle, ReadsStrings) {
  EXPECT_THAT(file().read_strings("fixed"), ElementsAre("cat", "zebra", ""));
  EXPECT_THAT(file().read_strings("fixed_utf8"), ElementsAre("Löwe", "Bär"));
  EXPECT_THAT(file().read_strings("variable"), ElementsAre("", "a", "Königspinguin"));
  EXPECT_THAT(file().read_strings("no_strings"), IsEmpty());
  EXPECT_THAT(error_of([&] { return file().read_strings("half"); }).second,
              HasSubstr(":half: holds no strings"));
  EXPECT_EQ(error_of([&] { return file().read_strings("gone"); }).first, ExitCode::bad_data);
}

TEST_F(Oracle, ReadsAttributes) {
  EXPECT_EQ(file().read_text_attribute("text"), "größe");
  EXPECT_EQ(file().read_integer_attribute("number"), 7);
  EXPECT_EQ(file().read_integer_attribute("gone"), std::nullopt);
  EXPECT_EQ(file().read_text_attribute("gone"), std::nullopt);
  EXPECT_THAT(error_of([&] { return file().read_integer_attribute("text"); }).second,
              HasSubstr("attribute 'text': is not one integer"));
  EXPECT_THAT(error_of([&] { return file().read_integer_attribute("numbers"); }).second,
              HasSubstr("is not one integer"));
  EXPECT_THAT(error_of([&] { return file().read_text_attribute("number"); }).second,
              HasSubstr("holds no strings"));
}

TEST_F(Oracle, ListsWhatThereIsWhenANameIsMissing) {
  EXPECT_TRUE(file().has("/group/inner/labels"));
  EXPECT_FALSE(file().has("/group/outer/labels"));
  EXPECT_FALSE(file().has("dangling"));
  EXPECT_FALSE(file().has(""));
  EXPECT_THAT(file().list("/group"), ElementsAre("inner"));
  EXPECT_EQ(error_of([&] { return file().list("/gone"); }).first, ExitCode::bad_data);
  const auto [code, message] = error_of([&] { return file().dataset("images"); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(message, AllOf(HasSubstr("oracle.h5: has no dataset 'images'"),
                             HasSubstr("'/' holds: big, chunked"), HasSubstr("(23 in all)")));
  EXPECT_THAT(error_of([&] { return file().dataset("group/inner/images"); }).second,
              HasSubstr("'/group/inner' holds: labels"));
  EXPECT_THAT(error_of([&] { return file().dataset("group"); }).second,
              HasSubstr(":/group: cannot be opened as a dataset"));
}

TEST_F(Oracle, OpensOnlyRegularHdf5Files) {
  const polyhead::testing::TemporaryFolder folder;
  const auto [code, message] = error_of([&] { return File::open(folder / "gone.h5"); });
  EXPECT_EQ(code, ExitCode::no_input);
  EXPECT_THAT(message, HasSubstr("gone.h5: cannot be opened: No such file or directory"));
  EXPECT_THAT(error_of([&] { return File::open(folder.path()); }).second, HasSubstr("is not a regular file"));
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { return File::open(folder / "pipe"); }).first, ExitCode::no_input);
  std::ofstream(folder / "text.h5") << "images: none\n";
  EXPECT_EQ(error_of([&] { return File::open(folder / "text.h5"); }),
            std::pair(ExitCode::bad_data, (folder / "text.h5").string() + ": is not an HDF5 file"));
}

TEST_F(Oracle, NoticesATruncatedFile) {
  const polyhead::testing::TemporaryFolder folder;
  std::filesystem::copy(path(), folder / "cut.h5");
  std::filesystem::resize_file(folder / "cut.h5", 4096);
  const auto [code, message] = error_of([&] { return File::open(folder / "cut.h5"); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(message, HasSubstr("cut.h5: cannot be opened as HDF5: truncated file"));
}

template <class T>
void write_one_and_two(File& file, const std::string& name, Type type) {
  const std::vector<T> values{1, 2};
  file.create_dataset(name, type, {2}).write_rows(0, 2, std::span<const T>(values));
}

TEST(Create, WritesWhatH5pyReads) {
  const polyhead::testing::TemporaryFolder folder;
  File file = File::create(folder / "new.h5");
  const Dataset rows = file.create_dataset("/a/b/rows", Type::f32, {3, 2});
  EXPECT_EQ(*rows.offset() % 4096, 0U);
  EXPECT_NE(*file.create_dataset("/a/small", Type::u8, {1}).offset(), *rows.offset());
  EXPECT_EQ(file.create_dataset("/a/empty", Type::u8, {0, 3}).offset(), std::nullopt);
  const std::vector<float> values{0, 1, 2, 3, 4, 5};
  rows.write_rows(0, 1, std::span(values).first(2));
  rows.write_rows(1, 2, std::span(values).last(4));
  write_one_and_two<std::uint8_t>(file, "u1", Type::u8);
  write_one_and_two<std::int8_t>(file, "i1", Type::i8);
  write_one_and_two<std::uint16_t>(file, "u2", Type::u16);
  write_one_and_two<std::int16_t>(file, "i2", Type::i16);
  write_one_and_two<std::uint32_t>(file, "u4", Type::u32);
  write_one_and_two<std::int32_t>(file, "i4", Type::i32);
  write_one_and_two<std::uint64_t>(file, "u8", Type::u64);
  write_one_and_two<std::int64_t>(file, "i8", Type::i64);
  write_one_and_two<float>(file, "f4", Type::f32);
  write_one_and_two<double>(file, "f8", Type::f64);
  file.write_strings("names", {"mlp", "", "Löwe"});
  file.write_strings("no_names", {});
  file.write_attribute("format", std::string("polyhead"));
  file.write_attribute("empty", std::string());
  file.write_attribute("n", -(std::int64_t{1} << 40));
  file.close();
  EXPECT_EQ(polyhead::testing::run_python("h5/oracle.py", "check '" + (folder / "new.h5").string() + "'"), 0);
}

TEST(Create, LeavesAnExistingPathAlone) {
  const polyhead::testing::TemporaryFolder folder;
  std::filesystem::create_symlink(folder / "target", folder / "link.h5");
  const auto [code, message] = error_of([&] { return File::create(folder / "link.h5"); });
  EXPECT_EQ(code, ExitCode::cant_create);
  EXPECT_THAT(message, AllOf(HasSubstr("link.h5: cannot be created"), HasSubstr("File exists")));
  EXPECT_FALSE(std::filesystem::exists(folder / "target"));
}

TEST(Create, NamesADatasetThatIsThereTwice) {
  const polyhead::testing::TemporaryFolder folder;
  File file = File::create(folder / "new.h5");
  static_cast<void>(file.create_dataset("/a", Type::u8, {1}));
  EXPECT_THAT(error_of([&] { return file.create_dataset("/a", Type::u8, {1}); }).second,
              HasSubstr("new.h5:/a: cannot be created"));
}

}  // namespace
}  // namespace polyhead::h5
