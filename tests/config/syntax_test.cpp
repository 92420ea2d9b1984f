#include <gmock/gmock.h>

#include "helpers.hpp"

/// What people mistype, and what is said about it.
namespace polyhead::config {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Mistake {
  std::string yaml;
  std::string expected;  ///< how the message begins
};

void expect_explained(const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) {
    SCOPED_TRACE(mistake.yaml);
    const auto error = error_of(mistake.yaml);
    EXPECT_THAT(error.message, StartsWith(mistake.expected));
    EXPECT_EQ(error.code, ExitCode::config);
  }
}

TEST(Syntax, Tabs) {
  const std::string text = "malformed YAML: this line is indented with a tab; YAML wants spaces";
  expect_explained({{"data:\n\tpath: x\n", "e.yaml:2:1: " + text},
                    {"data:\n  path: x\n\tformat: hdf5\n", "e.yaml:3:1: " + text},
                    {"data:\n  path: x\n  \tformat: hdf5\n", "e.yaml:3:3: " + text},
                    {"heads:\n\t- name: a\n", "e.yaml:2:1: " + text},
                    {"data:\n\tpath x\n\tformat: hdf5\n", "e.yaml:3:1: " + text},
                    {"data:\n\tpath x\n  format: hdf5\n", "e.yaml:2:1: " + text}});
}

TEST(Syntax, Colons) {
  const std::string text = "malformed YAML: a colon is missing after ";
  expect_explained(
      {{"data:\n  path x\n  format: hdf5\n", "e.yaml:2:7: " + text + "'path'"},
       {"data:\n  path: x\n  format hdf5\nbackbone:\n  weights: b\n", "e.yaml:3:9: " + text + "'format'"},
       {"data\n  path: x\n", "e.yaml:1:5: " + text + "'data'"},
       {"data:\n  path: x\n\n# words\nbackbone\n  weights: b\n", "e.yaml:5:9: " + text + "'backbone'"},
       {"heads:\n  - name a\n    weights: b\n", "e.yaml:2:9: " + text + "'name'"},
       {"data:\n  path:x\n  format: hdf5\n", "e.yaml:2:8: malformed YAML: a space is missing after 'path:'"},
       {"data:\n  path: a: b\n",
        "e.yaml:2:10: malformed YAML: a second ': ' in one line; put a text with a colon in quotes"},
       {"data:\n  path\xEF\xBC\x9A x\n  format: y\n",
        "e.yaml:2:7: malformed YAML: found a full-width colon (U+FF1A)"}});
}

TEST(Syntax, Indentation) {
  expect_explained(
      {{"data:\n  path: x\n   format: hdf5\n",
        "e.yaml:3:4: malformed YAML: this line begins further right than 'path' in line 2, so it counts as "
        "part of "
        "that value; begin both in the same column"},
       {"heads:\n  - name: a\n      weights: b\n",
        "e.yaml:3:7: malformed YAML: this line begins further right than 'name' in line 2"},
       {"data: x\n  format: hdf5\n",
        "e.yaml:2:3: malformed YAML: this line begins further right than 'data' in line 1"},
       {"data:\n   path: x\n  format: hdf5\n",
        "e.yaml:3:3: malformed YAML: this line begins in column 3; what it may belong to begins in column 1, "
        "4"},
       {"heads:\n  - name: a\n   weights: b\n",
        "e.yaml:3:4: malformed YAML: this line begins in column 4; what it may belong to begins in column 1, "
        "3, 5"},
       {"heads:\n  -name: a\n   weights: b\n", "e.yaml:2:4: malformed YAML: a space is missing after this -"},
       {"data: 1\n- a\n", "e.yaml:2:1: malformed YAML: a list's item beside keys"},
       {"a: - b\n", "e.yaml:1:4: malformed YAML: a list's items begin on lines of their own"}});
}

TEST(Syntax, BracketsAndQuotes) {
  expect_explained(
      {{"data: [1, 2\n", "e.yaml:1:7: malformed YAML: this [ is not closed: its ] is missing"},
       {"heads:\n  - {name: a, weights: b\n  - {name: c}\n",
        "e.yaml:2:5: malformed YAML: this { is not closed: its } is missing"},
       {"heads: [a, b\noutput: {path: x}\n", "e.yaml:1:8: malformed YAML: this [ is not closed"},
       {"data: {path: x-{0..9}.tar, a: [b\n", "e.yaml:1:"},
       {"data: {path: 'a]', mean: [0.4, 0.3, 0.2}\n", "e.yaml:1:26: malformed YAML: this [ is not closed"},
       {"heads: [a, b]]\n", "e.yaml:1:14: malformed YAML: nothing is open that this ] closes"},
       {"a: }\n", "e.yaml:1:4: malformed YAML: nothing is open that this } closes"},
       {"data: {path: x format: hdf5}\n",
        "e.yaml:1:22: malformed YAML: a comma is missing before this, or the text wants quotes"},
       {"data:\n  path: \"x\nbackbone:\n  weights: b\n",
        "e.yaml:2:9: malformed YAML: this quote is not closed"},
       {"data:\n  path: 'it''s\n", "e.yaml:2:9: malformed YAML: this quote is not closed"},
       {"data:\n  path: \"a\\\"\n", "e.yaml:2:9: malformed YAML: this quote is not closed"},
       {"data:\n  path: 'it's here'\n",
        "e.yaml:2:13: malformed YAML: text behind a closing '; inside such quotes write '' for '"},
       {"data:\n  path: [x] y\n", "e.yaml:2:13: malformed YAML: text behind the closing ]"},
       {"data:\n  path: \"a\\d\"\n",
        "e.yaml:2:13: malformed YAML: in double quotes a backslash begins an escape"},
       {"data:\n  path: @x\n", "e.yaml:2:9: malformed YAML: a text cannot begin with @; put it in quotes"},
       {"data:\n  path: >x\n", "e.yaml:2:10: malformed YAML: | and > begin a block of lines"},
       {"a: 1\n<<<<<<< HEAD\nb: 1\n=======\n",
        "e.yaml:2:1: malformed YAML: a merge conflict was left in the file"}});
}

TEST(Syntax, ClosedQuotesAreFine) {
  for (const char* yaml : {"output: {path: \"a\\\\\"}", "output: {path: 'it''s'}",
                           "output: {path: \"a\n  b\"}", "output: {path: ''''}", "output: {path: \"\\\"\"}"})
    EXPECT_NO_THROW(parse(small_with(yaml), "e.yaml", "/base")) << yaml;
}

TEST(Syntax, ShowsTheLineWithACaret) {
  EXPECT_THAT(error_of("data:\n  path: x\n  format hdf5\nbackbone:\n").message,
              EndsWith(" (illegal map value)\n   3 |   format hdf5\n     |         ^"));
  EXPECT_THAT(error_of("data:\n\tpath: x\n").message, EndsWith("\n   2 | \xE2\x86\x92path: x\n     | ^"));
  EXPECT_THAT(error_of("\xC3\xA4\xC3\xB6: b: c\r\n").message,
              EndsWith("\n   1 | \xC3\xA4\xC3\xB6: b: c \n     |      ^"));
  const std::string far(1000, 'x');
  EXPECT_THAT(error_of("a: " + far + ": " + far + "\n").message,
              EndsWith("\n   1 | " + std::string(60, 'x') + ": " + std::string(38, 'x') + "\n     | " +
                       std::string(60, ' ') + "^"));
}

TEST(Syntax, OverridesHaveNoLines) {
  const auto error = error_of(kSmall, {"data={path: x"});
  EXPECT_THAT(error.message, HasSubstr("--set data={path: x: malformed YAML: this { is not closed"));
  EXPECT_THAT(error.message, Not(HasSubstr("\n")));
}

TEST(Syntax, MissingColonsThatAreNoSyntaxErrors) {
  EXPECT_THAT(error_of("output:\n  path o.h5\n").message,
              HasSubstr("found 'path o.h5'; is a colon missing after 'path'?"));
  EXPECT_THAT(error_of("output:\n  path:o.h5\n").message,
              HasSubstr("found 'path:o.h5'; is a space missing after 'path:'?"));
  EXPECT_THAT(error_of("data: {path: x, format hdf5}\n").message,
              HasSubstr("unknown option 'format hdf5', is a colon missing after 'format'?"));
  EXPECT_THAT(error_of("data: {path:x}\n").message,
              HasSubstr("unknown option 'path:x', is a space missing after 'path:'?"));
}

}  // namespace
}  // namespace polyhead::config
