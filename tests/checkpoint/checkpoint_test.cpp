#include "polyhead/checkpoint/checkpoint.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <sstream>
#include <tuple>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "support.hpp"
#include "zip_writer.hpp"

namespace polyhead::checkpoint {
namespace {

using ::testing::HasSubstr;
using testing::zip;
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
  if (!GetParam().bytes.starts_with("PK")) {
    EXPECT_THAT(text, HasSubstr("; expected a safetensors file or a state_dict of torch.save"));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Lookalike,
    ::testing::Values(
        Refused{"Empty", "", "is empty; expected"},
        Refused{"Pickle", "\x80\x04\x95 and so on", "is a bare pickle"},
        Refused{"Html", "<!DOCTYPE html><html>", "looks like an HTML or XML page"},
        Refused{"Lfs", "version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"},
        Refused{"Hdf5", "\x89HDF\r\n\x1a\n", "is an HDF5 file, as Keras writes them"},
        Refused{"Gzip", "\x1f\x8b\x08", "is compressed with gzip: unpack it with gunzip"},
        Refused{"Xz",
                "\xfd"
                "7zXZ\0"s,
                "is compressed with xz"},
        Refused{"Bzip2", "BZh91AY", "is compressed with bzip2"},
        Refused{"Zstd", "\x28\xb5\x2f\xfd and so on", "is compressed with zstd"},
        Refused{"SevenZip", "7z\xbc\xaf\x27\x1c", "is a 7z archive"},
        Refused{"Tar", std::string(257, 'x') + "ustar" + std::string(250, '\0'),
                "is a tar archive: unpack it with tar -xf and use the weights file in it"},
        Refused{"Onnx", "\x08\x08\x12\x07pytorch\x1a\x05", "is an ONNX file: save the PyTorch model's"},
        Refused{"Tflite", "\x1c\0\0\0TFL3\0\0"s, "is a TensorFlow Lite model"},
        Refused{"Parquet", "PAR1\x15\x04", "is a Parquet table; tables belong to data.path"},
        Refused{"Webp", "RIFF\x10\0\0\0WEBPVP8 "s, "is an image; images belong to data.path"},
        Refused{"Avif",
                "\0\0\0\x1c"
                "ftypavif"s,
                "is an image"},
        Refused{"Jpeg", "\xff\xd8\xff\xe0", "is an image"}, Refused{"Png", "\x89PNG\r\n", "is an image"},
        Refused{"Numpy", "\x93NUMPY\x01\0"s, "is a NumPy array: torch.save({NAME: torch.from_numpy"},
        Refused{"Sharded", R"({"meta":{}, "weight_map": {"a": "model-00001-of-00002.safetensors"}})",
                "is the index of weights in several files, which polyhead does not join"},
        Refused{"Json", R"({"architectures": ["ResNet"]})", "is a JSON file: name the weights file"},
        Refused{"Yaml", "data:\n  path: x\n", R"(is a text file that starts with 'data:\x0a  path: x\x0a')"},
        Refused{"Npz", zip({{"conv1.weight.npy", "x"}}), "is an .npz file of NumPy"},
        Refused{"ZipOfPth", zip({{"run/a.pth", "x"}}),
                "is a zip file around 'run/a.pth': unpack it with unzip and use that"},
        Refused{"Export", zip({{"m/archive_format", "pt2"}, {"m/data.pkl", ""}, {"n/data.pkl", ""}}),
                "is an archive of torch.export.save"},
        Refused{"Keras", zip({{"config.json", "{}"}, {"model.weights.h5", "x"}}), "is a Keras model"},
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

TEST(ReadCheckpoint, FoldersSayWhichFileIsMeant) {
  const testing::TemporaryFolder folder;
  const auto says = [&] {
    const auto [code, text] = testing::error_of([&] { return read_checkpoint(folder.path()); });
    EXPECT_EQ(code, ExitCode::no_input);
    EXPECT_THAT(text, ::testing::StartsWith(folder.path().string() + ": cannot be read: it is a folder; "));
    return text;
  };
  EXPECT_THAT(says(), HasSubstr("name a file of weights in it"));
  std::ignore = folder.write("model.safetensors.index.json", "{}");
  EXPECT_THAT(says(), HasSubstr("its weights are in several files, which polyhead does not join"));
  std::ignore = folder.write("model.safetensors", "");
  EXPECT_THAT(says(), HasSubstr("name the file in it: " + (folder / "model.safetensors").string()));
  std::ignore = folder.write(".metadata", "");
  EXPECT_THAT(says(), HasSubstr("python -m torch.distributed.checkpoint.format_utils dcp_to_torch " +
                                folder.path().string()));
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
  static void SetUpTestSuite() {
    static const testing::TemporaryFolder folder;  // made once for all cases
    folder_ = folder.path();
    ASSERT_EQ(testing::make_reference("checkpoints '" + folder_.string() + "'"), 0);
  }

  /// Lines "FILE TENSOR DIMENSION...": the values lie in FILE.TENSOR.f32.
  void compare(const std::string& line) {
    std::istringstream words(line);
    std::string file;
    std::string name;
    words >> file >> name;
    std::vector<std::int64_t> shape;
    for (std::int64_t dimension = 0; words >> dimension;) shape.push_back(dimension);
    // Those with a random state beside the weights hold two dicts of tensors.
    const bool two = file.starts_with("bookkeeping") && std::isdigit(file[std::strlen("bookkeeping")]) != 0;
    const Checkpoint checkpoint = read_checkpoint(folder_ / file, two ? "model" : "");
    const auto found = std::find_if(checkpoint.begin(), checkpoint.end(),
                                    [&](const CheckpointTensor& tensor) { return tensor.name == name; });
    ASSERT_NE(found, checkpoint.end()) << line;
    EXPECT_EQ(found->shape, shape) << line;
    EXPECT_EQ(found->values, testing::read_floats(folder_ / fmt::format("{}.{}.f32", file, name))) << line;
  }

  static inline std::filesystem::path folder_;
};

TEST_F(FromPyTorch, TensorsAreTheSameBitForBit) {
  std::ifstream index(folder_ / "index.txt");
  int count = 0;
  for (std::string line; std::getline(index, line); ++count) compare(line);
  EXPECT_GT(count, 150);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "executed"));
}

/// Lines "FILE MESSAGE".
std::vector<std::pair<std::string, std::string>> read_lines(const std::filesystem::path& path) {
  std::vector<std::pair<std::string, std::string>> lines;
  std::ifstream index(path);
  for (std::string file; index >> file;) {
    lines.emplace_back(file, "");
    std::getline(index >> std::ws, lines.back().second);
  }
  return lines;
}

TEST_F(FromPyTorch, WhatIsNoTensorIsAProblemOfItsName) {
  const auto lines = read_lines(folder_ / "problems.txt");
  EXPECT_GT(lines.size(), 8U);
  for (const auto& [file, message] : lines) {
    const Checkpoint checkpoint = read_checkpoint(folder_ / file);
    ASSERT_EQ(checkpoint.size(), 2U) << file;
    EXPECT_EQ(checkpoint[0].problem, "") << file;
    EXPECT_EQ(checkpoint[0].values.size(), 24U) << file;
    EXPECT_THAT(checkpoint[1].problem, ::testing::StartsWith(message)) << file;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "executed"));
}

TEST_F(FromPyTorch, FilesWithoutAStateDictAreRefused) {
  const auto lines = read_lines(folder_ / "refused.txt");
  EXPECT_GT(lines.size(), 5U);
  for (const auto& [file, message] : lines) {
    const std::filesystem::path path = folder_ / file;
    const auto [code, text] = testing::error_of([&] { return read_checkpoint(path); });
    EXPECT_EQ(code, ExitCode::bad_data) << file;
    EXPECT_THAT(text, HasSubstr(message)) << file;
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "executed"));
}

}  // namespace
}  // namespace polyhead::checkpoint
