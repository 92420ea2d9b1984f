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

/// Continuation of the result file of an earlier run.
namespace polyhead::run {

/// A result file that a run continues: locked, and confirmed to belong to this job.
struct Resumption {
  std::unique_ptr<store::OutputLock> lock;
  store::Offsets offsets;
  store::Committed committed;
  std::vector<std::int64_t> reopened;  ///< finished micro-batches that are computed again (`--retry-bad`)
  std::vector<plan::Lease> missing;    ///< work to compute, the reopened micro-batches included
  store::Progress progress;            ///< progress without the reopened micro-batches
  std::string fingerprint;             ///< fingerprint of the run that created the file
  std::string
      data_change;  ///< JSON object: entries of the identity that mended samples have changed, or empty

  [[nodiscard]] bool complete() const { return progress.pending == 0; }
};

/// Locks the output and compares it with the job; writes nothing. With `retry_bad` the micro-batches that
/// hold quarantined samples count as open. Samples in open micro-batches are read only now, so their bytes
/// may differ from those at the file's creation. Throws Error: cant_create when another job writes the file,
/// bad_data when it is damaged, when the job has changed (with the changes), or when more samples are
/// quarantined than `data.max_bad` allows.
Resumption open_to_resume(Inputs& inputs, bool retry_bad);

/// Present identity of the job: that of the file's creation, with later changes by `--retry-bad`. A text that
/// cannot be read is returned as it is.
std::string identity_of(const store::Reader& reader);

/// Differences between two identities, in the words of the configuration where it has them: "fusion.rule:
/// mean-logits in the file, mean-probabilities now". Throws Error(bad_data) when `held`, of `result`, cannot
/// be read.
std::vector<std::string> identity_changes(const std::string& held, const std::string& now,
                                          const std::filesystem::path& result);

/// Compares the fingerprint of the file, in either form, with `now`. Where they differ, throws Error(config);
/// with `allow_mixed` it warns. Returns the differences; empty when there are none.
std::string compare_fingerprints(const std::string& held, const Fingerprint& now, bool allow_mixed,
                                 const std::filesystem::path& result);

/// Makes /job/summary of a complete file.
using Summarise = std::function<std::string(const store::Reader&, const std::optional<metrics::RunFigures>&)>;

/// Writes certificate and summary of a complete file to the disk.
void certify(store::Writer& writer, const std::filesystem::path& output, const Summarise& summarise,
             const std::optional<metrics::RunFigures>& figures);

/// Completes a complete file with certificate and summary, if a crash at the end has kept them from it.
/// Throws Error(bad_data) when the file has a certificate that does not fit.
void complete(const Resumption& file, Inputs& inputs, const Summarise& summarise);

/// Number of samples that may be quarantined by `data.max_bad`.
std::int64_t most_bad(const Inputs& inputs);

}  // namespace polyhead::run
