#include <random>

#include <gmock/gmock.h>

#include "mutate.hpp"
#include "polyhead/checkpoint/checkpoint.hpp"
#include "support.hpp"

namespace polyhead::checkpoint {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::le;
using testing::safetensors;

const std::string kTwoFloats = le(1.0F) + le(2.0F);

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirData) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write(
      "a.safetensors",
      safetensors(R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[],"data_offsets":[4,8]},)"
                  R"("b":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},)"
                  R"("none":{"dtype":"I64","shape":[0,3],"data_offsets":[8,8]}}  )",
                  kTwoFloats));
  const Checkpoint tensors = read_safetensors(path);
  ASSERT_EQ(tensors.size(), 3U);
  EXPECT_EQ(tensors[0].name, "b");
  EXPECT_THAT(tensors[0].shape, ElementsAre(1, 1));
  EXPECT_THAT(tensors[0].values, ElementsAre(1.0F));
  EXPECT_EQ(tensors[1].name, "a");
  EXPECT_THAT(tensors[1].shape, ElementsAre());
  EXPECT_THAT(tensors[1].values, ElementsAre(2.0F));
  EXPECT_THAT(tensors[2].values, ElementsAre());
}

struct BadFile {
  const char* name;
  std::string bytes;
  std::string message;
};
class BadSafetensors : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadSafetensors, IsRefusedByName) {
  const testing::TemporaryFolder folder;
  const auto path = folder.write("bad.safetensors", GetParam().bytes);
  const auto [code, text] = testing::error_of([&] { return read_safetensors(path); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr(path.string() + ": "));
  EXPECT_THAT(text, HasSubstr(GetParam().message));
}

std::string tensor(const std::string& fields, const std::string& data = kTwoFloats) {
  return safetensors(R"({"w":{)" + fields + "}}", data);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadSafetensors,
    ::testing::Values(
        BadFile{"Short", "abc", "has 3 bytes: too short for a safetensors file"},
        BadFile{"HeaderBeyondTheFile", le(std::uint64_t{1000}) + "{}",
                "says that its header has 1000 bytes, but the file ends after 2: is it truncated?"},
        BadFile{"HeaderBeyondTheLimit", le(std::uint64_t{100'000'001}) + "{}",
                "more than safetensors allows (100000000)"},
        BadFile{"HeaderOverflow", le(~std::uint64_t{0}) + "{}", "more than safetensors allows"},
        BadFile{"Json", safetensors(R"({"w":)"), "has a malformed safetensors header: "},
        BadFile{"NotAnObject", safetensors("[]"), "it is not a JSON object"},
        BadFile{"Deep", safetensors(R"({"w":{"shape":[[1]]}})"), "it is nested too deep"},
        BadFile{"VeryDeep", safetensors("{\"w\":" + std::string(100'000, '[')), "it is nested too deep"},
        BadFile{"NameTwice",
                safetensors(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                            R"("w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                            kTwoFloats),
                "has 'w' twice in its safetensors header"},
        BadFile{"FieldTwice", tensor(R"("dtype":"F32","dtype":"F16","shape":[2],"data_offsets":[0,8])"),
                "has 'dtype' twice"},
        BadFile{"Metadata", safetensors(R"({"__metadata__":{"step":1}})"),
                "has a __metadata__ that is not a map of texts"},
        BadFile{"MetadataKind", safetensors(R"({"__metadata__":"x"})"), "not a map of texts"},
        BadFile{"TensorKind", safetensors(R"({"w":3})"),
                "tensor 'w': must have dtype, shape and data_offsets"},
        BadFile{"FieldMissing", tensor(R"("dtype":"F32","shape":[2],"offsets":[0,8])"),
                "tensor 'w': data_offsets is missing"},
        BadFile{"FieldTooMany", tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1)"),
                "nothing else"},
        BadFile{"Type", tensor(R"("dtype":"F8_E8M0","shape":[8],"data_offsets":[0,8])"),
                "tensor 'w': dtype 'F8_E8M0' cannot be read; known are F8_E4M3, F8_E5M2, F16"},
        BadFile{"TypeKind", tensor(R"("dtype":3,"shape":[2],"data_offsets":[0,8])"), "dtype must be a text"},
        BadFile{"ShapeKind", tensor(R"("dtype":"F32","shape":2,"data_offsets":[0,8])"),
                "shape must be a list of integers"},
        BadFile{"NegativeShape", tensor(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"),
                "shape must be a list of integers that are not negative"},
        BadFile{"FloatShape", tensor(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), "not negative"},
        BadFile{"HugeDimension",
                tensor(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8])"),
                "shape must be a list of integers"},
        BadFile{"ShapeOverflow",
                tensor(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8])"),
                "shape [4294967296, 4294967296] is too large"},
        BadFile{"BytesOverflow",
                tensor(R"("dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8])"),
                "shape [4611686018427387904] is too large"},
        BadFile{"OffsetsKind", tensor(R"("dtype":"F32","shape":[2],"data_offsets":[8])"),
                "data_offsets must be two integers"},
        BadFile{"SizeDiffers", tensor(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"),
                "tensor 'w': shape [3] takes 12 bytes, but its data_offsets are [0, 8]"},
        BadFile{"OffsetsBackwards", tensor(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"),
                "but its data_offsets are [8, 0]"},
        BadFile{"Truncated", tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])", le(1.0F)),
                "tensor 'w' ends at byte 8 of the data, but the file has 4: is it truncated?"},
        BadFile{"Overlap",
                safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                            R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                            kTwoFloats),
                "tensor 'b' begins at byte 4 of the data and overlaps the tensor before it, which ends at 8"},
        BadFile{"Hole", tensor(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"),
                "has a hole: bytes 0 to 4 of the data, before tensor 'w', belong to no tensor"},
        BadFile{"HoleAtTheEnd", tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"),
                "has 8 bytes of data, but its tensors end at 4"},
        BadFile{"ControlCharacters", safetensors(R"({"w\u001b[31m":3})"), R"(tensor 'w\x1b[31m')"}),
    [](const auto& given) { return given.param.name; });

TEST(Safetensors, DamagedFilesEndInAnError) {
  const testing::TemporaryFolder folder;
  const std::string whole =
      testing::safetensors(Checkpoint{{"0.weight", {2, 3}, {1, 2, 3, 4, 5, 6}}, {"0.bias", {2}, {7, 8}}});
  std::mt19937 random(1);  // the same damage every time
  int readable = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto path = folder.write("x.safetensors", testing::mutate(whole, random));
    try {
      read_safetensors(path);
      ++readable;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::bad_data) << error.what();
    }
  }
  EXPECT_GT(readable, 0);     // damage to values cannot be seen
  EXPECT_LT(readable, 2500);  // damage to the header must
}

}  // namespace
}  // namespace polyhead::checkpoint
