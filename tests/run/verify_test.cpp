#include "polyhead/run/verify.hpp"

#include <bit>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/store/writer.hpp"
#include "run/identity/result_checks.hpp"

namespace polyhead::run {
namespace {

using polyhead::testing::error_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

store::Layout small_layout() {
  store::Layout layout;
  layout.samples = 10;
  layout.classes = 3;
  layout.heads = {"mlp", "wide"};
  layout.head_weights = {1, 2};
  layout.fusion_rule = "mean-logits";
  layout.batch = 4;
  layout.head_scores = true;
  return layout;
}

/// All samples of a micro-batch alike: class 2 everywhere.
store::Rows small_rows(std::int64_t batch, std::int64_t count) {
  store::Rows rows;
  rows.batch = batch;
  rows.count = count;
  for (std::int64_t n = 0; n < count; ++n) {
    rows.fused_scores.insert(rows.fused_scores.end(), {0.5F, 1.0F, 1.5F});
    rows.fused_prediction.push_back(2);
    rows.head_prediction.insert(rows.head_prediction.end(), {2, 2});
    rows.head_scores.insert(rows.head_scores.end(), {0.5F, 1.0F, 1.5F, 0.5F, 1.0F, 1.5F});
    rows.status.push_back(static_cast<std::uint8_t>(SampleStatus::done));
    rows.reason.push_back(0);
  }
  return rows;
}

/// Two versions of micro-batch 1, samples 4 to 7.
class CompareRows : public ::testing::Test {
 protected:
  std::optional<Difference> by_bits() {
    return compare_rows(layout_, held_, computed_, Comparison::bits, deviations_);
  }
  std::optional<Difference> by_tolerance() {
    return compare_rows(layout_, held_, computed_, Comparison::tolerance, deviations_);
  }
  void expect(const std::optional<Difference>& found, const std::string& dataset, std::int64_t sample,
              const std::string& place, const std::string& held, const std::string& computed) {
    ASSERT_TRUE(found);
    EXPECT_EQ(found->dataset, dataset);
    EXPECT_EQ(found->sample, sample);
    EXPECT_EQ(found->place, place);
    EXPECT_EQ(found->held, held);
    EXPECT_EQ(found->computed, computed);
  }

  store::Layout layout_ = small_layout();
  store::Rows held_ = small_rows(1, 4);
  store::Rows computed_ = small_rows(1, 4);
  Deviations deviations_;
};

TEST_F(CompareRows, EqualRowsHaveNoDifference) {
  EXPECT_FALSE(by_bits());
  EXPECT_FALSE(by_tolerance());
  EXPECT_EQ(deviations_.scores, 2 * 4 * (3 + 6));
  EXPECT_EQ(deviations_.predictions, 2 * 4 * 3);
  EXPECT_EQ(deviations_.other_scores + deviations_.other_predictions, 0);
}

TEST_F(CompareRows, NamesDatasetSamplePlaceAndBits) {
  held_.fused_scores[5] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(1.5F) + 1);
  expect(by_bits(), "/fused/scores", 5, "class 2", "1.5000001 (0x3fc00001)", "1.5 (0x3fc00000)");
  held_ = computed_;
  held_.fused_prediction[3] = -1;
  expect(by_bits(), "/fused/prediction", 7, "", "-1 (0xffffffff)", "2 (0x00000002)");
  held_ = computed_;
  held_.head_prediction[1] = 0;
  expect(by_bits(), "/heads/prediction", 4, "head wide", "0 (0x00000000)", "2 (0x00000002)");
  held_ = computed_;
  held_.head_scores[6 + 3 + 1] = -1;
  expect(by_bits(), "/heads/scores", 5, "head wide, class 1", "-1 (0xbf800000)", "1 (0x3f800000)");
  held_ = computed_;
  held_.status[0] = 2;
  expect(by_bits(), "/samples/status", 4, "", "2 (0x02) quarantined", "1 (0x01) done");
  held_ = computed_;
  held_.reason[2] = 5;
  expect(by_bits(), "/samples/reason", 6, "", "5 (0x05) the file ends before the image does",
         "0 (0x00) none");
}

/// They called all that is no JPEG or PNG by one reason.
TEST_F(CompareRows, TakesTheReasonsOfOlderVersions) {
  held_.reason[2] = static_cast<std::uint8_t>(Reason::not_an_image);
  computed_.reason[2] = static_cast<std::uint8_t>(Reason::webp);
  EXPECT_FALSE(by_bits());
  std::swap(held_.reason[2], computed_.reason[2]);
  EXPECT_TRUE(by_bits());
}

TEST_F(CompareRows, TheFirstIsTheLowestSampleThenTheCause) {
  held_.head_scores[0] = held_.fused_scores[0] = 9;
  held_.head_prediction[0] = held_.fused_prediction[0] = 0;
  held_.status[1] = 2;
  EXPECT_EQ(by_bits()->dataset, "/fused/scores");
  held_.fused_scores[0] = 0.5F;
  EXPECT_EQ(by_bits()->dataset, "/fused/prediction");
  held_.fused_prediction[0] = 2;
  EXPECT_EQ(by_bits()->dataset, "/heads/prediction");
  held_.head_prediction[0] = 2;
  EXPECT_EQ(by_bits()->dataset, "/heads/scores");
  held_.head_scores[0] = 0.5F;
  EXPECT_EQ(by_bits()->sample, 5);
  held_.fused_scores[0] = 9;
  held_.reason[0] = 1;
  EXPECT_EQ(by_bits()->dataset, "/samples/reason");
  held_.status[0] = 2;
  EXPECT_EQ(by_bits()->dataset, "/samples/status");
}

TEST_F(CompareRows, ANanIsComparedByItsBitsOrByTolerance) {
  held_.fused_scores[0] = computed_.fused_scores[0] = kNan;
  EXPECT_FALSE(by_bits());
  computed_.fused_scores[0] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(kNan) + 1);
  expect(by_bits(), "/fused/scores", 4, "class 0", "nan (0x7fc00000)", "nan (0x7fc00001)");
  EXPECT_FALSE(by_tolerance());
  EXPECT_EQ(deviations_.other_scores, 1);
  EXPECT_EQ(deviations_.largest, 0);
  computed_.fused_scores[0] = 1;
  EXPECT_TRUE(by_tolerance());
  std::swap(held_.fused_scores, computed_.fused_scores);
  EXPECT_TRUE(by_tolerance());
}

TEST_F(CompareRows, BothZerosAreOneWithinTheToleranceOnly) {
  held_.head_scores[0] = 0.0F;
  computed_.head_scores[0] = -0.0F;
  EXPECT_EQ(by_bits()->computed, "-0 (0x80000000)");
  EXPECT_FALSE(by_tolerance());
}

TEST_F(CompareRows, ScoresMayLieWithinTheTolerance) {
  held_.fused_scores[0] = 0.5F + 2.4e-4F;  // 1e-4 + 1.5e-4 is allowed
  held_.head_scores[2] = 1.5F - 2.4e-4F;
  EXPECT_TRUE(by_bits());
  EXPECT_FALSE(by_tolerance());
  EXPECT_EQ(deviations_.other_scores, 2);
  EXPECT_NEAR(deviations_.largest, 2.4e-4, 1e-6);
  EXPECT_NEAR(deviations_.share, 2.4 / 2.5, 0.005);
  held_.fused_scores[0] = 0.5F + 2.6e-4F;
  EXPECT_EQ(by_tolerance()->dataset, "/fused/scores");
  held_.fused_scores[0] = 0.5F;
  held_.head_scores[2] = 1.5F - 2.6e-4F;
  EXPECT_EQ(by_tolerance()->place, "head mlp, class 2");
}

TEST_F(CompareRows, AnInfinityIsEqualToItselfOnlyAndWidensNothing) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_DOUBLE_EQ(tolerance_of(std::vector<float>{1, -3, infinity, kNan}), 1e-4 + 3e-4);
  EXPECT_DOUBLE_EQ(tolerance_of({}), 1e-4);
  held_.head_scores[2] = infinity;
  EXPECT_EQ(by_tolerance()->held, "inf (0x7f800000)");
  computed_.head_scores[2] = infinity;
  EXPECT_FALSE(by_tolerance());
  held_.head_scores[0] = 0.6F;
  EXPECT_TRUE(by_tolerance());
  computed_.head_scores[2] = -infinity;
  EXPECT_TRUE(by_tolerance());
}

TEST_F(CompareRows, APredictionMayDifferAtANearTieOnly) {
  held_.fused_prediction[0] = 1;
  EXPECT_EQ(by_tolerance()->dataset, "/fused/prediction");  // 1.0 and 1.5 are no tie
  const auto tie = [&](float held, float computed) {        // the scores of class 1; class 2 has 1.5
    held_.fused_scores[1] = held;
    computed_.fused_scores[1] = computed;
    return by_tolerance();
  };
  EXPECT_FALSE(tie(1.5001F, 1.4999F));
  EXPECT_EQ(deviations_.other_predictions, 1);
  EXPECT_TRUE(tie(1.4999F, 1.4999F));  // the file's own scores say class 2
  held_.fused_prediction[0] = 3;       // no class
  EXPECT_TRUE(tie(1.5001F, 1.4999F));
  held_.fused_prediction[0] = -1;
  EXPECT_TRUE(tie(1.5001F, 1.4999F));
}

TEST_F(CompareRows, AHeadsPredictionNeedsTheComputedScoresOnly) {
  layout_.head_scores = false;
  held_.head_scores.clear();
  held_.head_prediction[0] = 1;
  EXPECT_EQ(by_tolerance()->place, "head mlp");
  computed_.head_scores[1] = 1.4999F;
  EXPECT_FALSE(by_tolerance());
  EXPECT_EQ(deviations_.other_predictions, 1);
  EXPECT_TRUE(by_bits());
}

TEST_F(CompareRows, StatusAndReasonKnowNoTolerance) {
  held_.reason[3] = 1;
  EXPECT_EQ(by_tolerance()->dataset, "/samples/reason");
  held_.reason[3] = 0;
  held_.status[3] = 0;
  EXPECT_EQ(by_tolerance()->held, "0 (0x00) pending");
  held_.status[3] = 77;
  EXPECT_EQ(by_tolerance()->held, "77 (0x4d) unknown");
}

TEST_F(CompareRows, RefusesRowsOfAnotherShape) {
  computed_.head_scores.pop_back();
  EXPECT_EQ(error_of([&] { return by_bits(); }).first, ExitCode::internal);
  computed_ = small_rows(2, 4);
  EXPECT_EQ(error_of([&] { return by_bits(); }).first, ExitCode::internal);
  computed_ = small_rows(1, 3);
  EXPECT_EQ(error_of([&] { return by_bits(); }).first, ExitCode::internal);
}

/// A result file of ten samples, "n0" to "n9", with label n % 3.
class ResultFile : public ::testing::Test {
 protected:
  void SetUp() override {
    const store::Offsets offsets =
        store::create(path_, layout_, samples(), {R"({"weights":"ab"})", R"({"cpu":"x"})", "a: 1\n"},
                      store::Existing::refuse);
    writer_.emplace(store::open_for_writing(path_), layout_, offsets);
  }
  static store::SampleSource samples() {
    return {[](std::int64_t first, std::span<std::int32_t> labels) {
              for (std::int32_t& label : labels) label = static_cast<std::int32_t>(first++ % 3);
            },
            [](std::int64_t index) { return fmt::format("n{}", index); }};
  }
  void finish(std::initializer_list<std::int64_t> batches) {
    for (const std::int64_t batch : batches) writer_->write(small_rows(batch, batch == 2 ? 2 : 4));
    writer_->commit();
  }
  void certify() {
    const std::string digest = store::Reader(path_).results_digest().hex();
    writer_->write_certificate(fmt::format(R"({{"digest":"xxh128:{}"}})", digest));
  }

  polyhead::testing::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "result.h5";
  store::Layout layout_ = small_layout();
  std::optional<store::Writer> writer_;
};

TEST_F(ResultFile, SamplesAreTheSame) {
  EXPECT_FALSE(compare_samples(store::Reader(path_), samples()));
}

TEST_F(ResultFile, AnotherIdIsNamedFromTheFirstByteThatDiffers) {
  store::SampleSource now = samples();
  now.id = [](std::int64_t index) { return index == 7 ? "m7" : fmt::format("n{}", index); };
  const auto found = compare_samples(store::Reader(path_), now);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->dataset, "/samples/id_bytes");
  EXPECT_EQ(found->sample, 7);
  EXPECT_EQ(found->held, "'n7' (from byte 0 on 0x6e37)");
  EXPECT_EQ(found->computed, "'m7' (from byte 0 on 0x6d37)");
}

TEST_F(ResultFile, ALongerIdMovesTheOffsets) {
  store::SampleSource now = samples();
  now.id = [](std::int64_t index) { return index == 9 ? "n9+" : fmt::format("n{}", index); };
  const auto found = compare_samples(store::Reader(path_), now);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->dataset, "/samples/id_offset");
  EXPECT_EQ(found->sample, 9);
  EXPECT_EQ(found->place, "end");
  EXPECT_EQ(found->held, "20 (0x0000000000000014)");
  EXPECT_EQ(found->computed, "21 (0x0000000000000015)");
}

TEST_F(ResultFile, AnotherLabelIsNamedUnlessAnEarlierSampleDiffers) {
  store::SampleSource now = samples();
  now.labels = [](std::int64_t first, std::span<std::int32_t> labels) {
    for (std::int32_t& label : labels)
      label = first == 8 ? -1 : static_cast<std::int32_t>(first % 3), ++first;
  };
  const auto found = compare_samples(store::Reader(path_), now);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->dataset, "/samples/label");
  EXPECT_EQ(found->sample, 8);
  EXPECT_EQ(found->held, "2 (0x00000002)");
  EXPECT_EQ(found->computed, "-1 (0xffffffff)");
  now.id = [](std::int64_t index) { return index == 7 ? "m7" : fmt::format("n{}", index); };
  EXPECT_EQ(compare_samples(store::Reader(path_), now)->sample, 7);
}

TEST_F(ResultFile, BatchesAreComparedInTheirOrderUntilADifference) {
  finish({0, 1, 2});
  const store::Reader reader(path_);
  std::vector<std::int64_t> seen;
  std::vector<std::int64_t> left{0, 2};
  Deviations deviations;
  const auto next = [&] {
    const std::int64_t batch = left.front();
    left.erase(left.begin());
    return small_rows(batch, batch == 2 ? 2 : 4);
  };
  EXPECT_FALSE(compare_batches(reader, {0, 2}, next, Comparison::bits, deviations,
                               [&](std::int64_t samples) { seen.push_back(samples); }));
  EXPECT_THAT(seen, ElementsAre(4, 6));

  int asked = 0;
  const auto other = [&] {
    store::Rows rows = small_rows(asked++, 4);
    rows.fused_prediction[1] = 0;
    return rows;
  };
  const auto found =
      compare_batches(reader, {0, 1, 2}, other, Comparison::bits, deviations, [](std::int64_t) {});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sample, 1);
  EXPECT_EQ(asked, 1);
}

TEST_F(ResultFile, TroubleWithReadingIsAnErrorAndNoDifference) {
  finish({0});
  const store::Reader reader(path_);
  Deviations deviations;
  const auto next = []() -> store::Rows { throw Error(ExitCode::io_error, "a.jpg: cannot be read"); };
  const auto compare = [&] {
    return compare_batches(reader, {0}, next, Comparison::bits, deviations, [](std::int64_t) {});
  };
  EXPECT_EQ(error_of(compare).first, ExitCode::io_error);
}

TEST_F(ResultFile, ACertificateFitsUntilAnythingChanges) {
  finish({0, 1, 2});
  const CertificateCheck none = check_certificate(store::Reader(path_));
  EXPECT_EQ(none.digest + none.breach, "");
  certify();
  const CertificateCheck fits = check_certificate(store::Reader(path_));
  EXPECT_THAT(fits.digest, HasSubstr("xxh128:"));
  EXPECT_EQ(fits.breach, "");
  writer_->write_certificate(R"({"digest":"xxh128:00"})");
  EXPECT_THAT(check_certificate(store::Reader(path_)).breach,
              AllOf(HasSubstr("the certificate says xxh128:00, the result datasets have xxh128:"),
                    HasSubstr(fits.digest)));
  for (const char* text : {"{", "[]", R"({"digest":7})", "{}"}) {
    writer_->write_certificate(text);
    EXPECT_THAT(check_certificate(store::Reader(path_)).breach, HasSubstr("cannot be read")) << text;
  }
}

TEST_F(ResultFile, OnlyAFinishedRunHasACertificate) {
  finish({0, 2});
  certify();
  EXPECT_THAT(check_certificate(store::Reader(path_)).breach, HasSubstr("the ledger has open micro-batches"));
}

TEST(CheckIdentity, NamesEachEntryThatDiffers) {
  const auto check = [](const std::string& held, const std::string& now) {
    check_identity(held, now, "r.h5");
    return 0;
  };
  EXPECT_EQ(check(R"({"a":"1","samples":3})", R"({"samples":3, "a":"1"})"), 0);
  const auto [code, text] = error_of([&] {
    return check(R"({"weights":"A","samples":3,"data":"D"})", R"({"weights":"B","samples":4,"data":"D"})");
  });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, AllOf(HasSubstr("changed: weights: those of the backbone or of a head are others now"),
                          HasSubstr("changed: number of samples: 3 in the file, 4 now"),
                          HasSubstr("--data or --set"), Not(HasSubstr("changed: data"))));
  EXPECT_THAT(error_of([&] { return check(R"({})", R"({"batch":4})"); }).second,
              HasSubstr("parallel.batch: nothing in the file, 4 now"));
  EXPECT_THAT(error_of([&] { return check("", R"({"batch":4})"); }).second,
              HasSubstr("/job/identity: is no"));
}

TEST(CheckLayout, NamesWhatDiffers) {
  const auto check = [](const store::Layout& held) {
    check_layout(held, small_layout(), "r.h5");
    return 0;
  };
  EXPECT_EQ(check(small_layout()), 0);
  store::Layout held = small_layout();
  std::swap(held.heads[0], held.heads[1]);
  held.batch = 8;
  held.head_weights[1] = 3;
  const auto [code, text] = error_of([&] { return check(held); });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text,
              AllOf(HasSubstr("/heads/name: the file holds wide, mlp, the configuration gives mlp, wide"),
                    HasSubstr("batch: the file holds 8, the configuration gives 4"),
                    HasSubstr("/heads/weight: the file holds 1, 3,"), Not(HasSubstr("classes"))));
}

TEST(WhyOtherBits, ComparesFingerprintsAndKnowsMixedRuns) {
  const std::string here = R"({"cpu":"zen","libc":"2.36"})";
  const std::string plain = "{\"event\":\"start\",\"mixed_fingerprints\":false}\nsome note\n";
  const std::string mixed = "{\"event\":\"start\",\"mixed_fingerprints\":true}";
  EXPECT_EQ(why_other_bits(here, {here, ""}, plain), "");
  EXPECT_EQ(why_other_bits(R"({"cpu":"xeon","libc":"2.36"})", {here, ""}, plain),
            "cpu: xeon in the file, zen now");
  EXPECT_THAT(why_other_bits(here, {here, ""}, plain + mixed), HasSubstr("--allow-mixed"));
  EXPECT_THAT(why_other_bits("", {here, ""}, plain), HasSubstr("cannot be read"));
}

TEST(Spread, IsEvenAndHoldsBothEnds) {
  std::vector<std::int64_t> all(101);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_THAT(spread(all, 5), ElementsAre(0, 25, 50, 75, 100));
  EXPECT_THAT(spread(all, 1), ElementsAre(0));
  EXPECT_THAT(spread(all, 2), ElementsAre(0, 100));
  EXPECT_EQ(spread(all, 101), all);
  EXPECT_EQ(spread(all, INT64_MAX), all);
  EXPECT_THAT(spread({3, 7, 8}, 2), ElementsAre(3, 8));
  for (std::int64_t count = 1; count < 101; ++count) {
    const auto some = spread(all, count);
    EXPECT_EQ(std::ssize(some), count);
    EXPECT_EQ(std::ranges::adjacent_find(some, std::greater_equal<>()), some.end()) << count;
  }
}

TEST(Describe, SaysWhatWasDone) {
  Verified verified;
  verified.batches = 4;
  verified.samples = 100;
  verified.done_batches = verified.all_batches = 32;
  verified.all_samples = 1000;
  verified.certificate = "xxh128:ab";
  verified.seconds = 4.2;
  EXPECT_EQ(
      describe(verified, "r.h5"),
      "r.h5: verified. 4 of 32 micro-batches (100 of 1000 samples) were computed again in one process and "
      "compared bit for bit: no difference. Names, ids and labels of all 1000 samples are the same. The "
      "certificate xxh128:ab fits the file. It took 4.2 s.\n");
  verified.certificate.clear();
  EXPECT_THAT(describe(verified, "r.h5"), HasSubstr("no certificate: the run ended before"));
  verified.done_batches = 9;
  verified.how = Comparison::tolerance;
  verified.why_tolerance = "cpu: A in the file, B now";
  verified.deviations = {5000, 12, 3.25e-6, 0.031, 600, 1};
  EXPECT_THAT(
      describe(verified, "r.h5"),
      AllOf(
          HasSubstr("the run is unfinished, 9 of its micro-batches are done"),
          HasSubstr("There is no certificate yet."),
          HasSubstr("by tolerance, 0.0001 + 0.0001 x the largest score"),
          HasSubstr("(cpu: A in the file, B now)"),
          HasSubstr(
              "of 5000 scores 12 have other bits, by 3.2e-06 at most and no more than 3.1% of the tolerance"),
          HasSubstr("of 600 predictions 1 are another class")));
}

}  // namespace
}  // namespace polyhead::run
