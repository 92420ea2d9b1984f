#include "polyhead/run/verify.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/run/identity.hpp"
#include "polyhead/run/resume.hpp"
#include "recompute.hpp"
#include "run/display/shown_value.hpp"
#include "run/identity/result_checks.hpp"
#include "run/setup/result_layout.hpp"
#include "verify_inputs.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::int64_t> done_batches(const store::Reader& reader) {
  std::vector<std::int64_t> done;
  const std::vector<std::uint8_t> ledger = reader.ledger();
  for (std::size_t batch = 0; batch < ledger.size(); ++batch) {
    if (ledger[batch] == 1) done.push_back(static_cast<std::int64_t>(batch));
  }
  return done;
}

/// Refuses a file of which no sample is done: it would pass unexamined.
void check_something_is_done(const std::vector<std::int64_t>& done, const store::Layout& layout,
                             const std::filesystem::path& result) {
  if (!done.empty() || layout.batches() == 0) return;
  throw Error(ExitCode::bad_data, fmt::format("{}: none of its {} micro-batches is done: there is nothing to "
                                              "verify",
                                              result.string(), layout.batches()));
}

std::vector<std::int64_t> choose(const std::vector<std::int64_t>& done, const VerifyOptions& options) {
  if (options.sample) return spread(done, *options.sample);
  if (!options.share) return done;
  return spread(done,
                static_cast<std::int64_t>(std::ceil(*options.share * static_cast<double>(done.size()))));
}

/// One verification, step by step.
class Verification {
 public:
  explicit Verification(const VerifyOptions& options) : options_(options), reader_(options.result) {}

  Verified run() {
    const std::vector<std::int64_t> done = done_batches(reader_);
    check_something_is_done(done, reader_.layout(), options_.result);
    result_.done_batches = static_cast<std::int64_t>(done.size());
    result_.all_batches = reader_.layout().batches();
    result_.all_samples = reader_.layout().samples;
    if (result_.done_batches < result_.all_batches) {
      log::warning(fmt::format("{}: unfinished: only the {} of {} micro-batches that are done are verified",
                               options_.result.string(), result_.done_batches, result_.all_batches));
    }
    look_at_certificate();
    Inputs inputs = inputs_of(reader_, options_);
    check_identity(identity_of(reader_), identity_json(inputs), options_.result);
    ask_for_columns(reader_.layout(), inputs.config);
    check_layout(reader_.layout(), inputs.layout(), options_.result);
    fail_on(compare_samples(reader_, source_of(inputs)), "");
    recompute(inputs, choose(done, options_));
    if (!breach_.empty()) fail_without_difference();
    result_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    return result_;
  }

 private:
  void look_at_certificate() {
    const CertificateCheck certificate = check_certificate(reader_);
    result_.certificate = certificate.digest;
    breach_ = certificate.breach;
    if (breach_.empty()) return;
    log::error(fmt::format("{}: altered or damaged: {}", options_.result.string(), breach_));
  }

  static store::SampleSource source_of(Inputs& inputs) {
    return {[&](std::int64_t first, std::span<std::int32_t> labels) { inputs.read_labels(first, labels); },
            [&](std::int64_t index) { return inputs.dataset->sample_id(index); }};
  }

  void recompute(Inputs& inputs, const std::vector<std::int64_t>& batches) {
    const std::string fingerprint = reader_.text("fingerprint");
    const model::DeviceAssignment assignment = place_alone(inputs.config, fingerprint);
    result_.why_tolerance =
        why_other_bits(fingerprint, fingerprint_of(inputs.config, assignment), reader_.text("provenance"));
    if (!result_.why_tolerance.empty()) {
      result_.how = Comparison::tolerance;
      log::warning("other bits are to be expected here, so results are compared by tolerance: " +
                   result_.why_tolerance);
      inputs.config.output.head_scores = true;  // these show how near a head's prediction was
    }
    const plan::MicroBatches cut = inputs.micro_batches();
    for (const std::int64_t batch : batches) result_.samples += cut.samples_of(batch).count;
    result_.batches = static_cast<std::int64_t>(batches.size());

    Progress progress(options_.progress, result_.samples);
    Recompute source(inputs, assignment, batches);
    std::int64_t equal = 0;
    const auto difference = compare_batches(
        reader_, batches, [&] { return source.next(); }, result_.how, result_.deviations,
        [&](std::int64_t samples) {
          progress.update(samples);
          equal = samples;
        });
    if (!difference) progress.finish();
    // Counted are whole micro-batches: those of the last one that come first are the same, too.
    if (difference) equal += difference->sample % cut.size();
    fail_on(difference, fmt::format(", after {} samples without a difference", equal));
  }

  void fail_on(const std::optional<Difference>& difference, const std::string& after) const {
    if (!difference) return;
    const std::string place = difference->place.empty() ? "" : ", " + printable(difference->place);
    throw Error(ExitCode::bad_data,
                fmt::format("{}: {} differs at sample {} ('{}'){}{}:\nthe file holds {}\ncomputed is {}",
                            options_.result.string(), difference->dataset, difference->sample,
                            id_of(difference->sample), place, after, difference->held, difference->computed));
  }

  /// Id of the sample in the file, whose ids may be damaged.
  [[nodiscard]] std::string id_of(std::int64_t sample) const {
    try {
      return printable(reader_.sample_id(sample));
    } catch (const Error&) {
      return "an id that cannot be read";
    }
  }

  [[noreturn]] void fail_without_difference() const {
    throw Error(
        ExitCode::bad_data,
        fmt::format("{}: altered or damaged: {}. No difference was found in the {} of {} micro-batches "
                    "that were compared{}: the change is in another one, or in the certificate itself",
                    options_.result.string(), breach_, result_.batches, result_.all_batches,
                    result_.how == Comparison::tolerance ? " by tolerance" : ""));
  }

  const VerifyOptions& options_;
  Clock::time_point start_ = Clock::now();
  store::Reader reader_;
  Verified result_;
  std::string breach_;  ///< disagreement of the certificate
};

}  // namespace

Verified verify(const VerifyOptions& options) {
  return Verification(options).run();
}

}  // namespace polyhead::run
