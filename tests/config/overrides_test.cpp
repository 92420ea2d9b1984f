#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "helpers.hpp"
#include "polyhead/config/load.hpp"

namespace polyhead::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Overrides, ReplaceAndAddValues) {
  const Config config =
      parse_small({"data.preprocess.crop=224", "heads[0].weight=2", "data.preprocess.mean=[0.5, 0.5, 0.25]",
                   "output.head_scores=true", "backbone={weights: /w.pth, arch: resnet34}",
                   "heads[0].layers[0]=linear 7"})
          .config;
  EXPECT_EQ(config.data.preprocess.crop, 224);
  EXPECT_EQ(config.heads[0].weight, 2);
  EXPECT_THAT(config.data.preprocess.mean, ElementsAre(0.5, 0.5, 0.25));
  EXPECT_TRUE(config.output.head_scores);
  EXPECT_EQ(config.backbone.arch, Arch::resnet34);
  EXPECT_EQ(config.heads[0].layers[0].width, 7);
}

TEST(Overrides, TheLastOneCounts) {
  EXPECT_EQ(parse_small({"parallel.batch=1", "parallel.batch=2"}).config.parallel.batch, 2);
}

TEST(Overrides, CanMakeUpForAnEmptyFile) {
  const auto loaded = parse(
      "", "e.yaml", "/base",
      {"data.path=d", "backbone.weights=b", "heads=[{weights: a, layers: [linear 2]}]", "output.path=o"});
  EXPECT_EQ(loaded.config.heads[0].name, "a");
}

TEST(Overrides, PathsAreRelativeToTheWorkingDirectory) {
  const auto here = std::filesystem::current_path();
  const Config config = parse_small({"data.path=x/../y.h5", "backbone={weights: b.pth}"}).config;
  EXPECT_EQ(config.data.path, here / "y.h5");
  EXPECT_EQ(config.backbone.weights, here / "b.pth");
  EXPECT_EQ(config.output.path, "/base/o.h5");
}

TEST(Overrides, AnEqualsSignInTheValueStays) {
  EXPECT_EQ(parse_small({"data.path=/a=b.h5"}).config.data.path, "/a=b.h5");
}

struct BadOverride {
  std::string text;
  std::string expected;
};

const std::vector<BadOverride> kBad{
    {"", "expected key=value, such as output.head_scores=true"},
    {"data.path", "expected key=value"},
    {"=5", "expected key=value"},
    {".data=5", "expected key=value"},
    {"data.=5", "expected key=value"},
    {"data..path=5", "expected key=value"},
    {"data path=5", "expected key=value"},
    {"[0]=5", "expected key=value"},
    {"heads[=5", "expected key=value"},
    {"heads[]=5", "expected key=value"},
    {"heads[0=5", "expected key=value"},
    {"heads[-1]=5", "expected key=value"},
    {"heads[99999999999999999999]=5", "expected key=value"},
    {"heads[0]weight=5", "expected key=value"},
    {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a=5", "expected key=value"},
    {"heads[1].weight=5", "there is no item 1: the list has 1, counted from 0"},
    {"data[0]=5", "item 0 of a map: only a list has items"},
    {"heads.weight=5", "'weight' cannot be set inside a list"},
    {"data.path.x=5", "'x' cannot be set inside 'd.h5'"},
    {"data.pth=x", "unknown option 'pth', did you mean 'path'?"},
    {"parallel.batsh=x", "unknown option 'batsh', did you mean 'batch'?"},
    {"parallel.batch=x", "parallel.batch: expected whole number from 1 to 4096, or auto; found 'x'"},
    {"data=5", "data: expected a section with the options format, path"},
    {"data.path=", "data.path: expected path; found nothing"},
    {"data.preprocess.mean=[1,2", "malformed YAML: this [ is not closed: its ] is missing"},
    {"heads[0].weights=*.pth", "put a text that begins with & or * in quotes"},
    {"data={path: a, path: b}", "the key 'path' is already given"},
    {"data.path=caf\xE9", "not UTF-8 text: byte 0xe9"},
};
TEST(Overrides, ThatAreWrongAreExplained) {
  for (const BadOverride& bad : kBad) {
    SCOPED_TRACE(bad.text);
    const auto error = error_of(kSmall, {bad.text});
    EXPECT_THAT(error.message, StartsWith("--set " + bad.text + ": "));
    EXPECT_THAT(error.message, HasSubstr(bad.expected));
    EXPECT_EQ(error.code, ExitCode::config);
  }
}

}  // namespace
}  // namespace polyhead::config
