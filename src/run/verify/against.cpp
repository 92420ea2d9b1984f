#include "polyhead/run/against.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/aligned.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/data/reader.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/run/compare.hpp"
#include "recompute.hpp"
#include "reference_file.hpp"
#include "run/display/shown_value.hpp"
#include "run/worker/pipeline.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kShownHeads = 5;

constexpr const char* kCausesOfPixels =
    "The preprocessing differs: mean and std, their unit (polyhead's pixels are 0 to 1 before them), resize "
    "(its "
    "size, interpolation, antialias), crop, channels in the order BGR, or another sample than was meant";
constexpr const char* kCausesOfModel =
    "Usual causes: eps of batch norms (backbone.batchnorm_eps) or layer norms, a model that was not in "
    "eval() or "
    "ran in TF32, the stride in the 1x1 convolutions (ResNet-50 v1), a stem without max-pooling, a head that "
    "was "
    "trained on another trunk, other layers or activations";
constexpr const char* kCausesOfFusion =
    "Each head's scores agree, so the fusion differs: fusion.rule, the heads' weights, or heads that the "
    "reference's ensemble does not have";
constexpr const char* kAskForPixels =
    "Put the preprocessed images into the reference, too (pixels=x): then it shows whether preprocessing or "
    "the "
    "model differs";

/// Adds up the differences of one head's scores, sample by sample.
class ScoreComparison {
 public:
  ScoreComparison(std::string what, const std::vector<double>& reference) : reference_(reference) {
    result_.what = std::move(what);
  }

  /// Adds a sample. `place`: its place in the reference; `name`: its name for people.
  void add(std::size_t place, const std::string& name, std::span<const float> ours) {
    const std::span<const double> theirs = std::span(reference_).subspan(place * ours.size(), ours.size());
    const double tolerance = tolerance_of(ours);
    for (std::size_t c = 0; c < ours.size(); ++c) {
      // A score that is not finite here exceeds any tolerance.
      double difference = std::abs(theirs[c] - static_cast<double>(ours[c]));
      if (!std::isfinite(difference)) difference = std::numeric_limits<double>::infinity();
      result_.largest = std::max(result_.largest, difference);
      if (difference / tolerance <= result_.share) continue;
      result_.share = difference / tolerance;
      result_.worst = fmt::format("{}, class {}: the reference has {:.7g}, polyhead gives {:.7g}", name, c,
                                  theirs[c], ours[c]);
    }
    const auto top = [](const auto& scores) { return std::ranges::max_element(scores) - scores.begin(); };
    result_.same_top += top(ours) == top(theirs) ? 1 : 0;
  }

  [[nodiscard]] ScoreDifference take() { return std::move(result_); }

 private:
  const std::vector<double>& reference_;
  ScoreDifference result_;
};

/// Adds up the differences of pixels, sample by sample.
class PixelComparison {
 public:
  explicit PixelComparison(ImageShape shape) : plane_(static_cast<std::size_t>(shape.height) * shape.width) {}

  void add(const std::string& name, std::span<const float> theirs, std::span<const float> ours) {
    const double tolerance = tolerance_of(ours);
    for (std::size_t i = 0; i < ours.size(); ++i) {
      const double difference = std::abs(static_cast<double>(theirs[i]) - static_cast<double>(ours[i]));
      const std::size_t channel = i / plane_;
      const std::size_t mirrored = (2 - channel) * plane_ + i % plane_;
      reversed_ = reversed_ && std::abs(theirs[i] - ours[mirrored]) <= tolerance;
      result_.same = result_.same && difference <= tolerance;
      if (difference <= result_.largest) continue;
      result_.largest = difference;
      result_.worst = fmt::format("{}, channel {}, pixel {}: the reference has {:.7g}, polyhead gives {:.7g}",
                                  name, channel, i % plane_, theirs[i], ours[i]);
    }
  }

  [[nodiscard]] PixelDifference take() {
    result_.reversed = reversed_ && !result_.same;
    return std::move(result_);
  }

 private:
  std::size_t plane_;
  bool reversed_ = true;
  PixelDifference result_;
};

/// Samples that are computed at once. The graphs of whole models are made for one number.
std::int64_t batch_for(const Inputs& inputs, const Reference& reference) {
  const std::int64_t batch = inputs.micro_batches().size();
  return inputs.weights.members ? batch
                                : std::min(static_cast<std::int64_t>(reference.samples.size()), batch);
}

/// Computes the reference's samples, some at a time.
class Comparing {
 public:
  Comparing(const Inputs& inputs, const Reference& reference)
      : inputs_(inputs),
        reference_(reference),
        batch_(batch_for(inputs, reference)),
        reader_(data::open_reader(inputs.config.data, inputs.shape)),
        model_(model::make_model(inputs.config, inputs.weights, batch_, inputs.shape.image,
                                 place_alone(inputs.config, ""))),
        pixels_(inputs.shape.image) {
    for (const auto& [k, logits] : reference.logits)
      heads_.emplace_back(fmt::format("head '{}'", printable(inputs.config.heads[k].name)), logits);
  }

  Agreement run() {
    const auto samples = static_cast<std::int64_t>(reference_.samples.size());
    for (std::int64_t first = 0; first < samples; first += batch_)
      compare(first, std::min(batch_, samples - first));
    Agreement result;
    result.samples = samples;
    result.other_heads = static_cast<std::int64_t>(inputs_.config.heads.size() - heads_.size());
    for (ScoreComparison& head : heads_) result.scores.push_back(head.take());
    result.fused = !reference_.fused.empty();
    if (result.fused) result.scores.push_back(fused_.take());
    if (!reference_.pixels.empty()) result.pixels = pixels_.take();
    return result;
  }

 private:
  [[nodiscard]] std::string name_of(std::int64_t place) const {
    const std::int64_t sample = reference_.samples[static_cast<std::size_t>(place)];
    return fmt::format("sample {} ('{}')", sample, printable(inputs_.dataset->sample_id(sample)));
  }

  void read(std::int64_t place, std::span<float> pixels) const {
    const std::int64_t sample = reference_.samples[static_cast<std::size_t>(place)];
    Reason reason = Reason::none;
    reader_->read(sample, inputs_.dataset->locations(sample, 1), pixels, std::span(&reason, 1));
    if (reason == Reason::none) return;
    throw Error(ExitCode::bad_data, fmt::format("{} of the reference cannot be used: {}; choose another",
                                                name_of(place), describe(reason)));
  }

  /// Samples [first, first + count) of the reference, preprocessed here or, where it has pixels, by the user.
  data::Batch batch_of(std::int64_t first, std::int64_t count) {
    const auto values = static_cast<std::size_t>(inputs_.shape.image.values());
    data::Batch batch;
    batch.samples = count;
    batch.reasons.assign(static_cast<std::size_t>(count), Reason::none);
    batch.pixels.assign(static_cast<std::size_t>(batch_) * values, 0);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto ours = std::span(batch.pixels).subspan(static_cast<std::size_t>(i) * values, values);
      read(first + i, ours);
      if (reference_.pixels.empty()) continue;
      const auto theirs =
          std::span(reference_.pixels).subspan(static_cast<std::size_t>(first + i) * values, values);
      pixels_.add(name_of(first + i), theirs, ours);
      std::ranges::copy(theirs, ours.begin());
    }
    return batch;
  }

  void compare(std::int64_t first, std::int64_t count) {
    const data::Batch batch = batch_of(first, count);
    const auto classes = static_cast<std::size_t>(inputs_.weights.classes);
    AlignedVector<float> features(static_cast<std::size_t>(batch_ * inputs_.weights.feature_width));
    AlignedVector<float> logits(static_cast<std::size_t>(batch_) * classes * inputs_.config.heads.size());
    compute_features(*model_, batch, features);
    model_->scores(features, logits);
    std::size_t at = 0;
    for (const auto& [k, theirs] : reference_.logits) {
      ScoreComparison& head = heads_[at++];
      for (std::int64_t i = 0; i < count; ++i) {
        const std::size_t row = k * static_cast<std::size_t>(batch_) + static_cast<std::size_t>(i);
        head.add(static_cast<std::size_t>(first + i), name_of(first + i),
                 std::span(logits).subspan(row * classes, classes));
      }
    }
    if (!reference_.fused.empty()) compare_fused(batch, first);
  }

  void compare_fused(const data::Batch& batch, std::int64_t first) {
    Pipeline pipeline(*model_, inputs_.config, inputs_.weights, batch_);
    const store::Rows rows = pipeline(batch);
    const auto classes = static_cast<std::size_t>(inputs_.weights.classes);
    for (std::int64_t i = 0; i < batch.samples; ++i) {
      fused_.add(static_cast<std::size_t>(first + i), name_of(first + i),
                 std::span(rows.fused_scores).subspan(static_cast<std::size_t>(i) * classes, classes));
    }
  }

  const Inputs& inputs_;
  const Reference& reference_;
  std::int64_t batch_;
  std::unique_ptr<data::SampleReader> reader_;
  std::unique_ptr<model::Model> model_;
  std::vector<ScoreComparison> heads_;
  ScoreComparison fused_{"the fused score", reference_.fused};
  PixelComparison pixels_;
};

bool has_other_scores(const Agreement& agreement) {
  return std::ranges::any_of(agreement.scores, [](const ScoreDifference& score) { return score.share > 1; });
}

/// Whether the heads that were compared agree, and what they are fused into does not.
bool only_fused_differs(const Agreement& agreement) {
  const auto wrong =
      std::ranges::count_if(agreement.scores, [](const auto& score) { return score.share > 1; });
  return agreement.fused && wrong == 1 && agreement.scores.size() > 1 && agreement.scores.back().share > 1;
}

std::string causes(const Agreement& agreement) {
  if (only_fused_differs(agreement)) return kCausesOfFusion;
  if (!agreement.pixels) return fmt::format("{}. {}. {}", kCausesOfModel, kCausesOfPixels, kAskForPixels);
  if (agreement.pixels->same) return kCausesOfModel;
  return has_other_scores(agreement) ? fmt::format("{}. {}", kCausesOfPixels, kCausesOfModel)
                                     : kCausesOfPixels;
}

std::string pixel_text(const PixelDifference& pixels) {
  if (pixels.reversed)
    return "the reference's pixels have their channels in reversed order: OpenCV reads images as BGR, "
           "polyhead "
           "as RGB";
  return fmt::format("pixels differ by {:.3g} at most; {}", pixels.largest, pixels.worst);
}

/// Text of the differences. Preprocessing comes first: differences that follow from it are no news.
std::string differences(const Agreement& agreement) {
  std::string text;
  if (agreement.pixels && !agreement.pixels->same) text += "\n  " + pixel_text(*agreement.pixels);
  std::size_t others = 0;
  for (const ScoreDifference& score : agreement.scores) {
    if (score.share <= 1) continue;
    if (++others > kShownHeads) continue;
    text += fmt::format("\n  {} differs by {:.3g} at most, the same class for {} of {} samples; {}",
                        score.what, score.largest, score.same_top, agreement.samples, score.worst);
  }
  if (others > kShownHeads) text += fmt::format("\n  and {} more heads", others - kShownHeads);
  return text;
}

void fail_if_different(const Agreement& agreement, const std::filesystem::path& reference) {
  const bool other_scores = has_other_scores(agreement);
  const bool other_pixels = agreement.pixels && !agreement.pixels->same;
  if (!other_scores && !other_pixels) return;
  throw Error(
      ExitCode::bad_data,
      fmt::format(
          "{}: polyhead differs from the reference{}, {} (allowed is {:g} + {:g} x the largest "
          "score of sample and head):{}\n{}",
          reference.string(),
          agreement.pixels && other_scores ? ", in what its model makes of the reference's own pixels" : "",
          counted(agreement.samples, "sample"), kAbsoluteTolerance, kRelativeTolerance,
          differences(agreement), causes(agreement)));
}

}  // namespace

Agreement compare_with_reference(const Inputs& inputs, const std::filesystem::path& path) {
  const auto start = Clock::now();
  const Reference reference = read_reference(path, inputs);
  Agreement agreement = Comparing(inputs, reference).run();
  agreement.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  fail_if_different(agreement, path);
  return agreement;
}

std::string describe(const Agreement& agreement, const std::filesystem::path& reference) {
  double largest = 0;
  for (const ScoreDifference& score : agreement.scores) largest = std::max(largest, score.largest);
  const std::string pixels =
      agreement.pixels ? fmt::format(", pixels by {:.2g}", agreement.pixels->largest) : "";
  const std::string others =
      agreement.other_heads > 0
          ? fmt::format("; it has no logits of {}", counted(agreement.other_heads, "other head"))
          : "";
  const std::int64_t heads = static_cast<std::int64_t>(agreement.scores.size()) - (agreement.fused ? 1 : 0);
  return fmt::format("{} compared with {}: {}{} {}, within {:.2g}{}{}; in {}",
                     counted(agreement.samples, "sample"), reference.string(), counted(heads, "head"),
                     agreement.fused ? " and the fused scores" : "",
                     heads == 1 && !agreement.fused ? "agrees" : "agree", largest, pixels, others,
                     human_seconds(agreement.seconds));
}

}  // namespace polyhead::run
