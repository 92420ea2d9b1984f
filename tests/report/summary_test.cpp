#include "polyhead/report/summary.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "../support.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::report {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// Ten samples of class 0 in micro-batches of 4. The ensemble errs on sample 0, head k on the first k % 11.
class ResultFile : public ::testing::Test {
 protected:
  explicit ResultFile(std::size_t heads = 2) {
    layout_.samples = 10;
    layout_.classes = 2;
    layout_.batch = 4;
    layout_.fusion_rule = "mean-logits";
    for (std::size_t k = 0; k < heads; ++k) layout_.heads.push_back(fmt::format("head{}", k));
    layout_.head_weights.assign(heads, 0.5);
  }

  void create(std::int32_t label = 0) {
    const store::SampleSource samples{
        [=](std::int64_t, std::span<std::int32_t> labels) { std::fill(labels.begin(), labels.end(), label); },
        [](std::int64_t index) { return fmt::format("test/{:04}", index); }};
    const store::Offsets offsets =
        store::create(path_, layout_, samples, {R"({"weights":"ab"})", R"({"cpu":"x"})", "a: 1\nb: 2\n"},
                      store::Existing::refuse);
    writer_.emplace(store::open_for_writing(path_), layout_, offsets);
  }

  /// Samples of `bad` are quarantined.
  void finish(std::int64_t batch, const std::vector<std::int64_t>& bad = {}) {
    store::Rows rows;
    rows.batch = batch;
    rows.count = std::min(layout_.batch, layout_.samples - batch * layout_.batch);
    for (std::int64_t i = batch * layout_.batch; i < batch * layout_.batch + rows.count; ++i) {
      const bool is_bad = std::find(bad.begin(), bad.end(), i) != bad.end();
      rows.fused_scores.insert(rows.fused_scores.end(), {0, 0});
      rows.fused_prediction.push_back(is_bad ? -1 : i == 0);
      for (std::int64_t k = 0; k < layout_.head_count(); ++k)
        rows.head_prediction.push_back(is_bad ? -1 : i < k % 11);
      rows.status.push_back(
          static_cast<std::uint8_t>(is_bad ? SampleStatus::quarantined : SampleStatus::done));
      rows.reason.push_back(static_cast<std::uint8_t>(is_bad ? Reason::score_not_finite : Reason::none));
    }
    writer_->write(rows);
    writer_->commit();
  }

  void finish_all(const std::vector<std::int64_t>& bad = {}) {
    for (std::int64_t batch = 0; batch < layout_.batches(); ++batch) finish(batch, bad);
  }
  [[nodiscard]] store::Reader reader() const { return store::Reader(path_); }
  [[nodiscard]] std::string summary() const { return summary_text(reader(), "runs/result.h5", figures_); }
  [[nodiscard]] nlohmann::json json() const {
    return nlohmann::json::parse(summary_json(reader(), figures_));
  }
  [[nodiscard]] std::string info(bool bad = false) const {
    return info_text(reader(), "runs/result.h5", bad);
  }

  polyhead::testing::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "result.h5";
  store::Layout layout_;
  std::optional<store::Writer> writer_;
  std::optional<metrics::RunFigures> figures_;
};

TEST_F(ResultFile, CompleteGivesATableOfAccuracies) {
  layout_.heads = {"mlp", "Löwenkopf"};
  create();
  finish_all();
  figures_ = metrics::RunFigures{4.2, 238.1, 2, 1, 0.004, 0.931, 3, 0.125};
  EXPECT_EQ(summary(),
            "head        accuracy   correct\n"
            "mlp          100.00%   10/10\n"
            "Löwenkopf     90.00%   9/10\n"
            "ensemble      90.00%   9/10     (mean-logits)\n"
            "\n"
            "10 images in 4.2 s, 238.1 img/s on 2 ranks x 1 thread\n"
            "limited by computing: 93.1% of the time computing, 0.4% waiting for data; "
            "3 workers reading and decoding 12.5% of it\n"
            "result: runs/result.h5\n");
}

metrics::RunFigures shares(double waiting, double computing) {
  metrics::RunFigures figures;
  figures.waiting_share = waiting;
  figures.computing_share = computing;
  return figures;
}

TEST(LimitedBy, NamesTheBottleneck) {
  EXPECT_EQ(limited_by(shares(0.051, 0.9)), "data");
  EXPECT_EQ(limited_by(shares(0.95, 0.02)), "data");
  EXPECT_EQ(limited_by(shares(0.049, 0.7)), "computing");
  EXPECT_EQ(limited_by(shares(0.0, 0.5)), "computing");
  EXPECT_EQ(limited_by(shares(0.0, 0.49)), "neither");
  EXPECT_EQ(limited_by(shares(0.04, 0.49)), "neither");
}

TEST_F(ResultFile, TheBottleneckIsNamedInWords) {
  create();
  finish_all();
  figures_ = shares(0.4, 0.5);
  EXPECT_THAT(summary(),
              HasSubstr("\nlimited by data: 50.0% of the time computing, 40.0% waiting for data; "));
  figures_ = shares(0.02, 0.3);
  EXPECT_THAT(summary(), HasSubstr("\nlimited by neither data nor computing: 30.0% of the time computing, "));
}

TEST_F(ResultFile, QuarantineGivesBounds) {
  create();
  finish_all({3, 9});
  EXPECT_THAT(summary(),
              AllOf(HasSubstr("ensemble     87.50%   7/8     (mean-logits)\n"),
                    HasSubstr("\n2 of 10 images quarantined; with them the ensemble's accuracy lies between "
                              "70.00% and 90.00%\nlist them: polyhead info --bad runs/result.h5\n"),
                    Not(HasSubstr("img/s"))));
}

TEST_F(ResultFile, WithoutLabelsSaysSo) {
  create(-1);
  finish_all({3});
  EXPECT_EQ(summary(),
            "the data has no labels: no accuracies\n"
            "\n1 of 10 images quarantined\nlist them: polyhead info --bad runs/result.h5\n"
            "\nresult: runs/result.h5\n");
  EXPECT_EQ(json()["labelled"], 0);
  EXPECT_EQ(json()["unlabelled"], 10);
  EXPECT_FALSE(json().contains("ensemble"));
}

TEST_F(ResultFile, WithAllQuarantinedHasNoAccuracy) {
  create();
  finish_all({0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  EXPECT_THAT(summary(), AllOf(StartsWith("no image with a label has a result: no accuracies\n"),
                               HasSubstr("lies between 0.00% and 100.00%")));
}

TEST_F(ResultFile, IncompleteGivesWhatIsMissingAndNoAccuracies) {
  create();
  finish(1, {5});
  EXPECT_EQ(summary(), "incomplete: 4 of 10 images done, 6 missing\n\nresult: runs/result.h5\n");
  EXPECT_EQ(json()["complete"], false);
  EXPECT_EQ(json()["pending"], 6);
  EXPECT_FALSE(json().contains("ensemble"));
  const metrics::AccuracyCounts counts = count_accuracy(reader());
  EXPECT_EQ(counts.labelled(), 3);
  EXPECT_EQ(counts.quarantined(), 1);
}

TEST_F(ResultFile, RowsThatAreNotCommittedDoNotCount) {
  create();
  finish(0);
  store::Rows rows;
  rows.batch = 1;
  rows.count = 4;
  rows.fused_scores.assign(8, 0);
  rows.fused_prediction.assign(4, 0);
  rows.head_prediction.assign(8, 0);
  rows.status.assign(4, 2);
  rows.reason.assign(4, 1);
  writer_->write(rows);
  EXPECT_EQ(count_accuracy(reader()).labelled(), 4);
  EXPECT_EQ(count_accuracy(reader()).quarantined(), 0);
  EXPECT_THAT(info(true), HasSubstr("quarantined samples: number, id, reason\n  (none)\n"));
}

TEST_F(ResultFile, JsonHoldsTheSameNumbers) {
  create();
  finish_all({9});
  figures_ = metrics::RunFigures{2, 5, 3, 4, 0.25, 0.5, 1, 0.75, 3};
  const nlohmann::json found = json();
  EXPECT_EQ(found, nlohmann::json::parse(R"({
    "format_version": 1, "complete": true, "samples": 10, "done": 9, "quarantined": 1, "pending": 0,
    "fusion_rule": "mean-logits", "labelled": 9, "unlabelled": 0,
    "ensemble": {"correct": 8, "accuracy": 0.8888888888888888, "worst": 0.8, "best": 0.9},
    "heads": [{"name": "head0", "weight": 0.5, "correct": 9, "accuracy": 1.0},
              {"name": "head1", "weight": 0.5, "correct": 8, "accuracy": 0.8888888888888888}],
    "run": {"seconds": 2.0, "images_per_second": 5.0, "ranks": 3, "threads": 4, "waiting_share": 0.25,
            "computing_share": 0.5, "workers": 1, "reading_share": 0.75, "earlier_images": 3,
            "limited_by": "data"}})"));
}

TEST_F(ResultFile, AResumedRunTellsWhatEarlierRunsHaveDone) {
  create();
  finish_all();
  figures_ = metrics::RunFigures{2, 2, 3, 4, 0.25, 0.5, 1, 0.75, 6};
  EXPECT_THAT(summary_text(store::Reader(path_), path_, figures_),
              HasSubstr("4 images (6 by earlier runs) in 2.0 s, 2.0 img/s on 3 ranks"));
}

TEST_F(ResultFile, JsonSurvivesANameThatIsNotUtf8) {
  layout_.heads[0] = "a\xFFz";
  create();
  finish_all();
  EXPECT_EQ(json()["heads"][0]["name"], "a\uFFFDz");
}

TEST_F(ResultFile, InfoTellsWhetherFingerprintsWereMixed) {
  create();
  const auto info = [&] { return info_text(store::Reader(path_), path_, false); };
  writer_->append_provenance(R"({"mixed_fingerprints":false,"command":"\"mixed_fingerprints\":true"})");
  EXPECT_THAT(info(), Not(HasSubstr("numerics     mixed")));
  writer_->append_provenance(R"({"event":"resume","mixed_fingerprints":true})");
  EXPECT_THAT(info(), HasSubstr("numerics     mixed: parts may differ in the last digits"));
}

TEST_F(ResultFile, InfoShowsAllThereIs) {
  layout_.class_names = {"cat", "dog"};
  create();
  writer_->append_provenance("start on node7");
  finish(1, {5});
  EXPECT_EQ(info(),
            "runs/result.h5: result of polyhead, format version 1\n\n"
            "samples      10 in 3 micro-batches of 4\n"
            "classes      2: cat, dog\n"
            "heads        2: head0 (weight 0.5), head1 (weight 0.5)\n"
            "fusion       mean-logits\n"
            "head scores  not kept\n"
            "ledger       1/3 micro-batches\n"
            "progress     incomplete: 3 done, 1 quarantined, 6 missing\n"
            "missing      samples 0-3, 8-9\n"
            "\nsummary\n  (none)\n"
            "\ncertificate\n  (none)\n"
            "\nprovenance\n  start on node7\n"
            "\nidentity\n  {\"weights\":\"ab\"}\n"
            "\nfingerprint\n  {\"cpu\":\"x\"}\n"
            "\nconfig\n  a: 1\n  b: 2\n");
}

TEST_F(ResultFile, InfoShowsTheCertificate) {
  create();
  finish_all();
  writer_->write_certificate(R"({"digest":"xxh128:00ff"})");
  EXPECT_THAT(info(), HasSubstr("\ncertificate\n  {\"digest\":\"xxh128:00ff\"}\n"));
}

TEST_F(ResultFile, InfoListsQuarantinedSamples) {
  create();
  finish_all({5, 9});
  EXPECT_THAT(info(true), AllOf(HasSubstr("progress     complete: 8 done, 2 quarantined\n"),
                                HasSubstr("quarantined samples: number, id, reason\n"
                                          "  5  test/0005  a head's score is NaN or infinite\n"
                                          "  9  test/0009  a head's score is NaN or infinite\n")));
  EXPECT_THAT(info(), Not(HasSubstr("test/0005")));
}

TEST_F(ResultFile, InfoKeepsControlCharactersAndLongTextsOffTheTerminal) {
  layout_.heads[0] = "a\033[2J\nb";
  create();
  finish_all();
  writer_->write_summary(std::string(20000, 's'));
  EXPECT_THAT(info(),
              AllOf(HasSubstr("heads        2: a?[2J?b (weight 0.5)"),
                    HasSubstr("  ... (19.5 KiB in all: see /job/summary)\n"), Not(HasSubstr("\033"))));
  EXPECT_THAT(summary(), HasSubstr("a?[2J?b "));
}

TEST_F(ResultFile, InfoShortensManyGaps) {
  layout_.samples = 120;
  create();
  for (std::int64_t batch = 0; batch < layout_.batches(); batch += 2) finish(batch);
  EXPECT_THAT(info(),
              HasSubstr("missing      samples 4-7, 12-15, 20-23, 28-31, 36-39, 44-47, 52-55, 60-63, 68-71, "
                        "76-79, ...\n"));
}

class ManyHeads : public ResultFile {
 protected:
  ManyHeads() : ResultFile(10'000) {}
};

TEST_F(ManyHeads, AreShownByTheirBestAndWorst) {
  create();
  finish_all();
  writer_->write_summary(summary_json(reader(), figures_));  // it fits
  const std::string text = summary();
  EXPECT_THAT(text,
              AllOf(StartsWith("head       accuracy   correct\nhead0       100.00%   10/10\nhead11 "),
                    HasSubstr("head99      100.00%   10/10\n... 9980 more, then the 10 worst of 10000\n"),
                    HasSubstr("head9998      0.00%   0/10\nensemble")));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 25);
  EXPECT_THAT(info(), HasSubstr("head19 (weight 0.5), ... and 9980 more\n"));
}

}  // namespace
}  // namespace polyhead::report
