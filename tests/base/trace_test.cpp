#include "polyhead/base/trace.hpp"

#include <fstream>
#include <iterator>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support.hpp"
#include "polyhead/base/error.hpp"

namespace polyhead::trace {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(Trace, WritesSpansAndFlightsOfAllThreads) {
  const polyhead::testing::TemporaryFolder folder;
  { const Span before("before"); }
  start(folder / "t.json", 3);
  Flight flight("all-gather");
  {
    const Span span("backbone");
    std::thread([&] {
      const Span inside("heads");
      flight.end();
      flight.end();
    }).join();
  }
  stop();
  { const Span after("after"); }
  const std::string text = text_of(folder / "t.3.json");
  EXPECT_THAT(text, HasSubstr(R"("name":"backbone","ph":"X")"));
  EXPECT_THAT(text, HasSubstr(R"("name":"heads","ph":"X")"));
  EXPECT_THAT(text, HasSubstr(R"("name":"all-gather","cat":"exchange","ph":"b","id":"3.1")"));
  EXPECT_EQ(text.find("\"ph\":\"e\""), text.rfind("\"ph\":\"e\""));
  EXPECT_THAT(text, HasSubstr(R"("ph":"e","id":"3.1")"));
  EXPECT_THAT(text, Not(HasSubstr("before")));
  EXPECT_THAT(text, Not(HasSubstr("after")));
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(text.front(), '[');
}

TEST(Trace, ReplacesAnEarlierTraceAndNobodyElsesFile) {
  const polyhead::testing::TemporaryFolder folder;
  for (int i = 0; i < 2; ++i) {
    start(folder / "t.json", 0);
    stop();
  }
  std::ofstream(folder / "w.0.json") << "weights";
  try {
    start(folder / "w.json", 0);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::cant_create);
    EXPECT_THAT(error.what(), HasSubstr("w.0.json: --trace would replace a file that is no trace"));
  }
  EXPECT_EQ(text_of(folder / "w.0.json"), "weights");
}

TEST(Trace, NamesAFileForEachRank) {
  EXPECT_EQ(file_of("a/trace.json", 12), "a/trace.12.json");
  EXPECT_EQ(file_of("trace", 0), "trace.0");
}

TEST(Trace, SaysWhereItCannotBeWritten) {
  try {
    start("/no/such/folder/t.json", 0);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::cant_create);
    EXPECT_THAT(error.what(), HasSubstr("/no/such/folder/t.0.json"));
  }
}

}  // namespace
}  // namespace polyhead::trace
