#include "polyhead/store/writer.hpp"

#include <gmock/gmock.h>

#include "example.hpp"

namespace polyhead::store {
namespace {

using polyhead::testing::error_of;
using polyhead::testing::run_python;
using ::testing::HasSubstr;

int judge(const std::filesystem::path& path, const std::string& done) {
  return run_python("store/oracle.py", fmt::format("'{}' {}", path.string(), done));
}

TEST(Writer, WritesWhatH5pyReadsAtAnyMoment) {
  const example::Fresh fresh;
  EXPECT_EQ(judge(fresh.path, ""), 0);
  Writer writer = fresh.writer();
  for (const std::int64_t batch : {12, 0, 5, 4}) writer.write(example::rows(fresh.layout, batch));
  EXPECT_EQ(writer.uncommitted(), 4);
  EXPECT_EQ(writer.committed(), 0);
  writer.commit();
  EXPECT_EQ(writer.uncommitted(), 0);
  EXPECT_EQ(writer.committed(), 4);
  EXPECT_EQ(judge(fresh.path, "0 4 5 12"), 0);  // the writer is still open
  for (const std::int64_t batch : {1, 2, 3, 6, 7, 8, 9, 10, 11})
    writer.write(example::rows(fresh.layout, batch));
  writer.finish();
  EXPECT_EQ(writer.committed(), 13);
  EXPECT_EQ(judge(fresh.path, "0 1 2 3 4 5 6 7 8 9 10 11 12"), 0);
}

TEST(Writer, RefusesAMicroBatchTwice) {
  const example::Fresh fresh;
  Writer writer = fresh.writer();
  writer.write(example::rows(fresh.layout, 3));
  EXPECT_THAT(error_of([&] { writer.write(example::rows(fresh.layout, 3)); }).second,
              HasSubstr("micro-batch 3 was written before"));
  writer.commit();
  EXPECT_EQ(error_of([&] { writer.write(example::rows(fresh.layout, 3)); }).first, ExitCode::internal);
}

struct WrongRows {
  void (*spoil)(Rows&);
  const char* message;
};

class WriterRefuses : public ::testing::TestWithParam<WrongRows> {};

TEST_P(WriterRefuses, RowsThatDontFit) {
  const example::Fresh fresh;
  Writer writer = fresh.writer();
  Rows rows = example::rows(fresh.layout, 12);
  GetParam().spoil(rows);
  const auto [code, message] = error_of([&] { writer.write(rows); });
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_THAT(message, HasSubstr(GetParam().message));
  writer.finish();
  EXPECT_EQ(Reader(fresh.path).progress().batches_done, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Store, WriterRefuses,
    ::testing::Values(
        WrongRows{[](Rows& r) { r.batch = 13; }, "micro-batch 13 is outside the 13 of this job"},
        WrongRows{[](Rows& r) { r.batch = -1; }, "micro-batch -1 is outside"},
        WrongRows{[](Rows& r) { r.batch = 11; }, "micro-batch 11 has 5 rows, expected 8"},
        WrongRows{[](Rows& r) { r.fused_scores.pop_back(); },
                  "column fused_scores has 14 values, expected 15"},
        WrongRows{[](Rows& r) { r.fused_prediction.push_back(0); },
                  "fused_prediction has 6 values, expected 5"},
        WrongRows{[](Rows& r) { r.head_prediction.clear(); }, "head_prediction has 0 values, expected 15"},
        WrongRows{[](Rows& r) { r.head_scores.clear(); }, "head_scores has 0 values, expected 45"},
        WrongRows{[](Rows& r) { r.status.clear(); }, "status has 0 values, expected 5"},
        WrongRows{[](Rows& r) { r.reason.clear(); }, "reason has 0 values, expected 5"},
        WrongRows{[](Rows& r) { r.status[2] = 0; }, "micro-batch 12 has a pending row"}));

TEST(Writer, KeepsNoHeadScoresUnlessAsked) {
  Layout layout = example::layout();
  layout.head_scores = false;
  const example::Fresh fresh(layout);
  Writer writer = fresh.writer();
  Rows rows = example::rows(layout, 0);
  writer.write(rows);
  rows = example::rows(layout, 1);
  rows.head_scores.resize(72);
  EXPECT_THAT(error_of([&] { writer.write(rows); }).second,
              HasSubstr("head_scores has 72 values, expected 0"));
  writer.finish();
  EXPECT_FALSE(Reader(fresh.path).layout().head_scores);
  EXPECT_EQ(Reader(fresh.path).progress().batches_done, 1);
}

TEST(Writer, KeepsTexts) {
  const example::Fresh fresh;
  Writer writer = fresh.writer();
  writer.append_provenance("started on node7");
  writer.append_provenance("two\nlines");
  writer.write_summary(std::string(1000, 'x'));
  writer.write_summary(R"({"done": 1})");
  writer.write_certificate("c");
  writer.finish();
  const Reader reader(fresh.path);
  EXPECT_EQ(reader.text("provenance"), "started on node7\ntwo lines\n");
  EXPECT_EQ(reader.text("summary"), R"({"done": 1})");
  EXPECT_EQ(reader.text("certificate"), "c");
}

TEST(Writer, NeverWritesPastATextArea) {
  const example::Fresh fresh;
  Writer writer = fresh.writer();
  const std::string full(fresh.offsets.certificate.capacity, 'c');
  writer.write_certificate(full);
  const auto [code, message] = error_of([&] { writer.write_certificate(full + "c"); });
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_THAT(message, HasSubstr("does not fit into its area"));
  const std::string line(fresh.offsets.provenance.capacity / 2 - 1, 'p');
  for (int i = 0; i < 3; ++i) writer.append_provenance(line);  // the third does not fit
  writer.finish();
  const Reader reader(fresh.path);
  EXPECT_EQ(reader.text("certificate"), full);
  EXPECT_EQ(reader.text("provenance"), line + "\n" + line + "\n");
  EXPECT_EQ(reader.text("summary"), "");
}

TEST(Writer, HoldsASummaryOfManyHeads) {
  Layout layout = example::layout();
  layout.heads.assign(10000, std::string(40, '"'));
  layout.head_weights.assign(10000, 0.0001);
  layout.head_scores = false;
  layout.samples = 3;
  const example::Fresh fresh(layout);
  EXPECT_GE(fresh.offsets.summary.capacity, 10000U * (2 * 40 + 120));
}

}  // namespace
}  // namespace polyhead::store
