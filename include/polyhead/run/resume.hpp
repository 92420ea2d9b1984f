#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "polyhead/metrics/run_figures.hpp"
#include "polyhead/plan/lease.hpp"
#include "polyhead/run/identity.hpp"
#include "polyhead/run/inputs.hpp"
#include "polyhead/store/reader.hpp"
#include "polyhead/store/writer.hpp"

/// How a run goes on with the result file of an earlier one.
namespace polyhead::run {

/// A result file that a run goes on with: locked, and found to be of this very job.
struct Resumption {
  std::unique_ptr<store::OutputLock> lock;
  store::Offsets offsets;
  store::Committed committed;
  std::vector<std::int64_t> reopened;  ///< finished micro-batches that are computed again (`--retry-bad`)
  std::vector<plan::Lease> missing;    ///< what is to be computed, those included
  store::Progress progress;            ///< without those
  std::string fingerprint;             ///< of the run that created the file
  std::string
      data_change;  ///< JSON object: entries of the identity that mended samples have changed, or empty

  [[nodiscard]] bool complete() const { return progress.pending == 0; }
};

/// Locks the output and compares it with the job; writes nothing. With `retry_bad` the micro-batches that
/// hold quarantined samples count as open. Samples in open micro-batches may have other bytes than when the
/// file was begun: they are read now. Throws Error: cant_create when another job writes the file, bad_data
/// when it is damaged, when the job has changed (with what has), or when more samples are quarantined than
/// `data.max_bad` allows.
Resumption open_to_resume(Inputs& inputs, bool retry_bad);

/// The identity of the job as it is now: that of the file's creation, with what `--retry-bad` has changed
/// since. What cannot be read is given as it is.
std::string identity_of(const store::Reader& reader);

/// What differs between two identities, in the words of the configuration where it has one for it:
/// "fusion.rule: mean-logits in the file, mean-probabilities now". Throws Error(bad_data) when `held`, of
/// `result`, cannot be read.
std::vector<std::string> identity_changes(const std::string& held, const std::string& now,
                                          const std::filesystem::path& result);

/// Compares the fingerprint of the file, of whichever version, with `now`. Where they differ, throws
/// Error(config); with `allow_mixed` it warns. Returns what differs; empty when nothing does.
std::string compare_fingerprints(const std::string& held, const Fingerprint& now, bool allow_mixed,
                                 const std::filesystem::path& result);

/// Makes /job/summary of a complete file.
using Summarise = std::function<std::string(const store::Reader&, const std::optional<metrics::RunFigures>&)>;

/// Certificate and summary of a complete file, on the disk.
void certify(store::Writer& writer, const std::filesystem::path& output, const Summarise& summarise,
             const std::optional<metrics::RunFigures>& figures);

/// A complete file needs no more than what a crash at the end may have kept from it: certificate and summary.
/// Throws Error(bad_data) when the file has a certificate that does not fit.
void complete(const Resumption& file, Inputs& inputs, const Summarise& summarise);

/// How many samples `data.max_bad` lets be quarantined.
std::int64_t most_bad(const Inputs& inputs);

}  // namespace polyhead::run
