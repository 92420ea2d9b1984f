#include "config/expand.hpp"

#include <map>

#include <gmock/gmock.h>

#include "helpers.hpp"

namespace polyhead::config {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::optional<std::string> variable(const std::string& name) {
  static const std::map<std::string, std::string> kValues{{"HOME", "/home/me"}, {"DATA", "/d"},
                                                          {"DATA2", "/d2"},     {"_x", "y"},
                                                          {"EMPTY", ""},        {"ODD", "/a[1]*?\\$DATA"}};
  const auto found = kValues.find(name);
  return found == kValues.end() ? std::nullopt : std::optional(found->second);
}

Expanded of(const std::string& text, bool is_pattern = false) {
  return expand(text, is_pattern, variable);
}

TEST(Expand, ReplacesVariablesAndTheHomeFolder) {
  EXPECT_EQ(of("$DATA/x").text, "/d/x");
  EXPECT_EQ(of("${DATA}2/x").text, "/d2/x");
  EXPECT_EQ(of("$DATA2-$_x.h5").text, "/d2-y.h5");
  EXPECT_EQ(of("~").text, "/home/me");
  EXPECT_EQ(of("~/runs/$DATA").text, "/home/me/runs//d");
  EXPECT_TRUE(of("~/x").replaced);
}

TEST(Expand, LeavesEverythingElse) {
  for (const char* text : {"a/~/b", "a~", "cost$", "cost$5", "$", "$-", "x-{000..127}.tar", "a b"}) {
    EXPECT_EQ(of(text).text, text);
    EXPECT_FALSE(of(text).replaced);
    EXPECT_EQ(of(text).problem, "");
  }
  EXPECT_EQ(of("a$$DATA$$").text, "a$DATA$");
  EXPECT_FALSE(of("a$$DATA").replaced);
}

TEST(Expand, SaysWhatIsMissing) {
  EXPECT_THAT(of("$SCRATCH/x").problem, AllOf(HasSubstr("environment variable SCRATCH, which is not set"),
                                              HasSubstr("write $$ for a $")));
  EXPECT_THAT(of("$EMPTY/x").problem, HasSubstr("EMPTY, which is empty"));
  for (const char* text : {"${", "${}", "${DATA", "${DATA:-x}", "${1}"})
    EXPECT_THAT(of(text).problem, HasSubstr("has a ${ that is no ${NAME}")) << text;
  EXPECT_THAT(of("~you/x").problem, HasSubstr("only ~/ stands for a home folder"));
  EXPECT_EQ(of("./~you/x").problem, "");
  EXPECT_THAT(expand("~/x", false, [](const std::string&) { return std::nullopt; }).problem,
              HasSubstr("environment variable HOME"));
}

TEST(Expand, InPatternsValuesStandForThemselves) {
  EXPECT_EQ(of("$ODD/*.pth", true).text, "/a\\[1\\]\\*\\?\\\\$DATA/*.pth");
  EXPECT_EQ(of("\\$DATA/[ab]", true).text, "\\$DATA/[ab]");
  EXPECT_EQ(of("\\", true).text, "\\");
}

/// A configuration in a folder of its own, whose paths name variables of the test.
class ExpandedPaths : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("POLYHEAD_TEST_DATA", (folder_.path() / "data").c_str(), 1); }
  void TearDown() override { ::unsetenv("POLYHEAD_TEST_DATA"); }
  Config loaded(const std::string& line, const std::vector<std::string>& overrides = {}) const {
    return load(folder_.write("e.yaml", small_with(line)), overrides).config;
  }
  Folder folder_;
};

TEST_F(ExpandedPaths, OfFilesAndOverrides) {
  const std::string data = folder_.path() / "data";
  EXPECT_EQ(loaded("data: {path: $POLYHEAD_TEST_DATA/d.h5}").data.path, data + "/d.h5");
  EXPECT_EQ(loaded("data: {path: 'x-${POLYHEAD_TEST_DATA}/d.h5'}").data.path,
            folder_.path() / ("x-" + data.substr(1)).insert(2, "/") / "d.h5");
  EXPECT_EQ(loaded("data: {path: ~/d.h5}").data.path, std::string(std::getenv("HOME")) + "/d.h5");
  EXPECT_EQ(loaded("data: {path: a$$b.h5}").data.path, folder_.path() / "a$b.h5");
  EXPECT_EQ(loaded("heads: [{glob: '$POLYHEAD_TEST_DATA/*.pth'}]").heads[0].glob, data + "/*.pth");
  EXPECT_EQ(loaded("data: {path: d, classes: $POLYHEAD_TEST_DATA/names}").data.classes.file, data + "/names");
  EXPECT_EQ(loaded("fusion: {}", {"output.path=$POLYHEAD_TEST_DATA/o.h5"}).output.path, data + "/o.h5");
}

TEST_F(ExpandedPaths, AreWhatIsRecordedAndReadBack) {
  const Config config = loaded("output: {path: '$POLYHEAD_TEST_DATA/a$$b'}");
  const std::string yaml = to_yaml(config);
  EXPECT_THAT(yaml, HasSubstr("data/a$b\""));
  EXPECT_EQ(parse(yaml, "sent", "/").config.output.path, config.output.path);
}

/// Results of earlier versions hold such paths as they are.
TEST_F(ExpandedPaths, NothingIsExpandedInWhatPolyheadWrote) {
  const std::string yaml = small_with("output: {path: '/x/$HOME/~/a$$b'}");
  EXPECT_EQ(parse(yaml, "kept", "/").config.output.path, "/x/$HOME/~/a$$b");
}

TEST_F(ExpandedPaths, NamesTheVariableThatIsMissing) {
  const auto e = thrown_by([&] { loaded("output: {path: $POLYHEAD_TEST_NOWHERE/o.h5}"); });
  EXPECT_EQ(e.code, ExitCode::config);
  EXPECT_THAT(e.message,
              HasSubstr("e.yaml:5:16: output.path: '$POLYHEAD_TEST_NOWHERE/o.h5' needs the environment "
                        "variable POLYHEAD_TEST_NOWHERE, which is not set"));
}

TEST_F(ExpandedPaths, AFileThatIsReallyCalledSoIsTheOtherReading) {
  const auto literal = folder_.write("$POLYHEAD_TEST_DATA/o.h5");
  for (const std::string name : {"o.h5", "not-made-yet.h5"}) {
    const auto e = thrown_by([&] { loaded("output: {path: $POLYHEAD_TEST_DATA/" + name + "}"); });
    EXPECT_EQ(e.code, ExitCode::config);
    EXPECT_THAT(e.message,
                AllOf(HasSubstr("may be meant as it is written, as '" + literal.parent_path().string() +
                                "' is there, or be '" + (folder_.path() / "data" / name).string() + "'"),
                      HasSubstr("$$ stands for $")));
  }
  EXPECT_EQ(loaded("output: {path: $$POLYHEAD_TEST_DATA/o.h5}").output.path, literal);
}

}  // namespace
}  // namespace polyhead::config
