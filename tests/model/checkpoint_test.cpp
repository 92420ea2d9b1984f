#include "polyhead/model/checkpoint.hpp"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "support.hpp"

namespace polyhead::model {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

struct Refused {
  const char* name;
  std::string bytes;
  std::string message;
};
class Lookalike : public ::testing::TestWithParam<Refused> {};

TEST_P(Lookalike, IsNamed) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write("weights.pth", GetParam().bytes);
  const auto [code, text] = testing::error_of([&] { return read_checkpoint(path); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr(path.string() + ": " + GetParam().message));
  EXPECT_THAT(text, HasSubstr("expected a safetensors file or a state_dict of torch.save"));
}

INSTANTIATE_TEST_SUITE_P(
    All, Lookalike,
    ::testing::Values(Refused{"Empty", "", "is empty; expected"},
                      Refused{"Legacy",
                              "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e\x80\x02",
                              "is in PyTorch's format from before 1.6: torch.load it and save it again"},
                      Refused{"Pickle", "\x80\x04\x95 and so on", "is a bare pickle"},
                      Refused{"Html", "<!DOCTYPE html><html>", "looks like an HTML or XML page"},
                      Refused{"Lfs", "version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"},
                      Refused{"Hdf5", "\x89HDF\r\n\x1a\n", "is an HDF5 file"},
                      Refused{"Gzip", "\x1f\x8b\x08", "is compressed with gzip"},
                      Refused{"Unknown", "\x01\x02 hello",
                              "is in no format that polyhead knows (it starts with "
                              "01 02 20 68 65 6c 6c 6f)"}),
    [](const auto& given) { return given.param.name; });

TEST(ReadCheckpoint, UnreadableFiles) {
  const testing::TemporaryFolder folder;
  const auto says = [&](const std::string& name) {
    const auto [code, text] = testing::error_of([&] { return read_checkpoint(folder / name); });
    EXPECT_EQ(code, ExitCode::no_input);
    return text;
  };
  EXPECT_THAT(says("none.pth"), HasSubstr("none.pth: cannot be read: No such file or directory"));
  EXPECT_THAT(says(""), HasSubstr("cannot be read: it is a folder"));
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(says("pipe"), HasSubstr("cannot be read: it is not a regular file"));
}

TEST(ReadCheckpoint, ATruncatedZipIsNamed) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write("a.pth", "PK\x03\x04" + std::string(100, 'x'));
  const auto [code, text] = testing::error_of([&] { return read_checkpoint(path); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_EQ(text, path.string() + ": is a zip file without its end: is it truncated?");
}

/// Files that PyTorch wrote, and what PyTorch itself reads from them.
class FromPyTorch : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(testing::make_reference("checkpoints '" + folder_.path().string() + "'"), 0);
  }

  /// Lines "FILE TENSOR DIMENSION...": the values lie in FILE.TENSOR.f32.
  void compare(const std::string& line) {
    std::istringstream words(line);
    std::string file;
    std::string name;
    words >> file >> name;
    std::vector<std::int64_t> shape;
    for (std::int64_t dimension = 0; words >> dimension;) shape.push_back(dimension);
    const Checkpoint checkpoint = read_checkpoint(folder_ / file);
    const auto found = std::find_if(checkpoint.begin(), checkpoint.end(),
                                    [&](const CheckpointTensor& tensor) { return tensor.name == name; });
    ASSERT_NE(found, checkpoint.end()) << line;
    EXPECT_EQ(found->shape, shape) << line;
    EXPECT_EQ(found->values, testing::read_floats(folder_ / fmt::format("{}.{}.f32", file, name))) << line;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(FromPyTorch, TensorsAreTheSameBitForBit) {
  std::ifstream index(folder_ / "index.txt");
  int count = 0;
  for (std::string line; std::getline(index, line); ++count) compare(line);
  EXPECT_GT(count, 50);
}

TEST_F(FromPyTorch, FilesThatHoldMoreThanTensorsAreRefused) {
  std::ifstream index(folder_ / "refused.txt");  // lines "FILE MESSAGE"
  int count = 0;
  for (std::string file; index >> file; ++count) {
    std::string message;
    std::getline(index >> std::ws, message);
    const auto [code, text] = testing::error_of([&] { return read_checkpoint(folder_ / file); });
    EXPECT_EQ(code, ExitCode::bad_data) << file;
    EXPECT_THAT(text, HasSubstr(message)) << file;
  }
  EXPECT_GT(count, 5);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "executed"));
}

}  // namespace
}  // namespace polyhead::model
