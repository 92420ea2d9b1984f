#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "polyhead/run/compare.hpp"
#include "polyhead/run/identity.hpp"
#include "polyhead/run/progress.hpp"
#include "polyhead/store/reader.hpp"

/// Recomputes the content of a result file, and compares.
namespace polyhead::run {

struct VerifyOptions {
  std::filesystem::path result;
  std::vector<std::string> overrides;         ///< overrides of the configuration in the file
  std::optional<std::filesystem::path> data;  ///< present place of the data set
  std::optional<std::int64_t> sample;         ///< micro-batches to recompute, at least 1; empty: all
  std::optional<double> share;  ///< micro-batches to recompute as a share of those that are done, (0, 1]
  ProgressStyle progress = ProgressStyle::automatic;
};

/// A verification that found no difference.
struct Verified {
  std::int64_t batches = 0;       ///< micro-batches recomputed
  std::int64_t samples = 0;       ///< samples in them
  std::int64_t done_batches = 0;  ///< micro-batches done, by the ledger
  std::int64_t all_batches = 0;
  std::int64_t all_samples = 0;  ///< ids and labels were compared for all of them
  Comparison how = Comparison::bits;
  std::string why_tolerance;  ///< reason for a tolerance; empty where `how` is bits
  Deviations deviations;
  std::string certificate;  ///< "xxh128:...", which fits the file; empty when there is none
  double seconds = 0;
};

/// Verifies a result file, in this process alone; nothing is written to it or beside it. First compares the
/// certificate with the result datasets; a mismatch is logged, and the search for the difference goes on.
/// Then compares the job's identity with that of the present inputs; then names, ids and labels of all
/// samples; then every micro-batch that is done, or an even choice of them.
///
/// Throws Error(bad_data): when anything differs, with the first difference; when the inputs are not those of
/// the run, with the changes; when no micro-batch is done. Also throws errors of reading the inputs.
Verified verify(const VerifyOptions& options);

/// One paragraph for people.
std::string describe(const Verified& verified, const std::filesystem::path& result);

// The steps of `verify`.

/// Throws Error(bad_data) that names each entry in which two identities (JSON objects) differ.
void check_identity(const std::string& held, const std::string& now, const std::filesystem::path& result);

/// Reason why the bits need not be the same: entries of a file's fingerprint that differ from `now`, or
/// several fingerprints among the run's ranks (`provenance`). Empty when they must be.
std::string why_other_bits(const std::string& held, const Fingerprint& now, const std::string& provenance);

/// Choice of `count` of `batches`, evenly spread, including the first and the last; all when there are no
/// more.
std::vector<std::int64_t> spread(const std::vector<std::int64_t>& batches, std::int64_t count);

/// Compares `batches` of the file with the results of `next`, one after the other, until a difference is
/// found. `progress` is called with the number of samples compared.
std::optional<Difference> compare_batches(const store::Reader& reader,
                                          const std::vector<std::int64_t>& batches,
                                          const std::function<store::Rows()>& next, Comparison how,
                                          Deviations& deviations,
                                          const std::function<void(std::int64_t)>& progress);

}  // namespace polyhead::run
