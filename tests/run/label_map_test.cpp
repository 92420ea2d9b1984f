#include "polyhead/run/label_map.hpp"

#include <gmock/gmock.h>

#include "../support.hpp"

namespace polyhead::run {
namespace {

using config::ClassMap;
using polyhead::testing::error_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Names = std::vector<std::string>;

std::vector<std::int32_t> applied(const LabelMap& map, std::vector<std::int32_t> labels) {
  map.apply(labels);
  return labels;
}

/// The message of the configuration error.
std::string refusal(const ClassMap& classes, const Names& names, std::int64_t outputs) {
  const auto [code, text] = error_of([&] { return LabelMap(classes, names, outputs), 0; });
  EXPECT_EQ(code, ExitCode::config);
  return text;
}

TEST(LabelMap, LabelsAreOutputsUnlessSaidOtherwise) {
  const LabelMap unnamed({}, {}, 10);
  EXPECT_THAT(applied(unnamed, {-1, 0, 9, 12}), ElementsAre(-1, 0, 9, 12));
  EXPECT_THAT(unnamed.output_names(), IsEmpty());
  const LabelMap named({}, {"cat", "dog"}, 2);
  EXPECT_THAT(applied(named, {1, 0, -1}), ElementsAre(1, 0, -1));
  EXPECT_THAT(named.output_names(), ElementsAre("cat", "dog"));
}

TEST(LabelMap, AMismatchShowsBothSides) {
  EXPECT_THAT(refusal({}, {"cat", "dog", "eel"}, 10),
              HasSubstr("the data set has 3 classes (cat, dog, eel), but the heads give 10 scores"));
  EXPECT_THAT(refusal({{{"cat", -1}, {"dog", -1}}, {}}, {}, 3),
              HasSubstr("names 2 classes, but the heads give 3 scores"));
  EXPECT_THAT(refusal({{{"cat", 3}}, {}}, {"cat"}, 3), HasSubstr("'cat' to output 3, but the heads give 3"));
}

TEST(LabelMap, AListNamesTheOutputs) {
  const ClassMap list{{{"dog", -1}, {"eel", -1}, {"cat", -1}}, {}};
  const LabelMap by_name(list, {"cat", "dog"}, 3);  // the data set has only two of them
  EXPECT_THAT(applied(by_name, {0, 1, -1, 2}), ElementsAre(2, 0, -1, LabelMap::kNoOutput));
  EXPECT_THAT(by_name.output_names(), ElementsAre("dog", "eel", "cat"));
  const LabelMap unnamed(list, {}, 3);
  EXPECT_THAT(applied(unnamed, {0, 1, 2}), ElementsAre(0, 1, 2));
  EXPECT_THAT(unnamed.output_names(), ElementsAre("dog", "eel", "cat"));
  EXPECT_THAT(refusal(list, {"cat", "dgo"}, 3),
              HasSubstr("no output for 1 of the data set's 2 classes: dgo"));
}

TEST(LabelMap, AMapGoesByNameOrNumber) {
  const LabelMap by_name({{{"cat", 7}, {"dog", 2}, {"unused", 1}}, {}}, {"cat", "dog"}, 9);
  EXPECT_THAT(applied(by_name, {0, 1}), ElementsAre(7, 2));
  EXPECT_THAT(by_name.output_names(), ElementsAre("0", "unused", "dog", "3", "4", "5", "6", "cat", "8"));
  const LabelMap by_number({{{"5", 0}, {"0", 1}}, {}}, {}, 2);
  EXPECT_THAT(applied(by_number, {5, 0, 1, -1}), ElementsAre(0, 1, LabelMap::kNoOutput, -1));
  EXPECT_THAT(by_number.output_names(), IsEmpty());
  EXPECT_THAT(refusal({{{"cat", 0}}, {}}, {}, 2), HasSubstr("'cat' is not the number of a label"));
}

TEST(LabelMap, AFileNamesTheOutputs) {
  const polyhead::testing::TemporaryFolder folder;
  const LabelMap map({{}, folder.write("names.txt", "dog\r\ncat\n\n")}, {"cat", "dog"}, 2);
  EXPECT_THAT(applied(map, {0, 1}), ElementsAre(1, 0));
  EXPECT_THAT(refusal({{}, folder.write("twice.txt", "a\nb\na\n")}, {}, 3), HasSubstr("'a' is there twice"));
  EXPECT_THAT(refusal({{}, folder.write("empty.txt", "\n")}, {}, 3), HasSubstr("holds no class names"));
}

}  // namespace
}  // namespace polyhead::run
