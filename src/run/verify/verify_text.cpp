#include <string>

#include <fmt/format.h>

#include "polyhead/base/text.hpp"
#include "polyhead/run/verify.hpp"

namespace polyhead::run {
namespace {

std::string what(const Verified& verified) {
  const std::string unfinished =
      verified.done_batches < verified.all_batches
          ? fmt::format("; the run is unfinished, {} of its micro-batches are done", verified.done_batches)
          : "";
  return fmt::format("{} of {} micro-batches ({} of {} samples{})", verified.batches, verified.all_batches,
                     verified.samples, verified.all_samples, unfinished);
}

std::string how(const Verified& verified) {
  if (verified.how == Comparison::bits) return "compared bit for bit: no difference.";
  const Deviations& found = verified.deviations;
  return fmt::format(
      "compared by tolerance, {} + {} x the largest score of the sample and head, since other bits are to be "
      "expected here ({}): of {} "
      "scores {} have other bits, by {:.2g} at most and no more than {:.2g}% of the tolerance; of {} "
      "predictions {} are another class, each at a tie within the tolerance.",
      kAbsoluteTolerance, kRelativeTolerance, verified.why_tolerance, found.scores, found.other_scores,
      found.largest, 100 * found.share, found.predictions, found.other_predictions);
}

std::string certificate(const Verified& verified) {
  if (!verified.certificate.empty())
    return fmt::format("The certificate {} fits the file.", verified.certificate);
  return verified.done_batches < verified.all_batches
             ? "There is no certificate yet."
             : "There is no certificate: the run ended before it was written.";
}

}  // namespace

std::string describe(const Verified& verified, const std::filesystem::path& result) {
  return fmt::format(
      "{}: verified. {} were computed again in one process and {} Names, ids and labels of all "
      "{} samples are the same. {} It took {}.\n",
      result.string(), what(verified), how(verified), verified.all_samples, certificate(verified),
      human_seconds(verified.seconds));
}

}  // namespace polyhead::run
