#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "polyhead/metrics/accuracy.hpp"
#include "polyhead/metrics/run_figures.hpp"
#include "polyhead/store/reader.hpp"

namespace polyhead::report {

/// Counts over the whole file, read in chunks: memory does not grow with the number of samples.
metrics::AccuracyCounts count_accuracy(const store::Reader& reader);
/// Number of samples of a complete file that have no label.
std::int64_t count_unlabelled(std::int64_t samples, const metrics::AccuracyCounts& counts);

/// Part of the work that limited a run. "data" (reading and decoding): ranks waited for it for more than a
/// fifth of their time. Otherwise "computing", if that took at least half of the time. Else "neither": the
/// time went into leases, commits and waiting for other ranks, as in very short runs.
std::string_view limited_by(const metrics::RunFigures& figures);

/// Text at the end of a run: a table with the accuracy of each head and of the ensemble (bounds where samples
/// are quarantined), img/s and the file's path. For an incomplete file it names the missing part instead of
/// accuracies. With more than 20 heads: the best and worst ten.
std::string summary_text(const store::Reader& reader, const std::filesystem::path& path,
                         const std::optional<metrics::RunFigures>& figures);

/// The summary as a JSON object, for /job/summary.
std::string summary_json(const store::Reader& reader, const std::optional<metrics::RunFigures>& figures);

/// `polyhead info`: layout, progress, summary, certificate, provenance, identity, fingerprint, config. With
/// `bad`, each quarantined sample with its id and reason.
std::string info_text(const store::Reader& reader, const std::filesystem::path& path, bool bad);

}  // namespace polyhead::report
