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

/// What a faster run would need more of: "data" (reading and decoding) or "computing".
std::string_view limited_by(const metrics::RunFigures& figures);

/// The text at the end of a run: a table with the accuracy of each head and of the ensemble (bounds where
/// samples are quarantined), img/s and the file's path. An incomplete file gives what is missing instead of
/// accuracies. With more than 20 heads: the best and worst ten.
std::string summary_text(const store::Reader& reader, const std::filesystem::path& path,
                         const std::optional<metrics::RunFigures>& figures);

/// The same as a JSON object, for /job/summary.
std::string summary_json(const store::Reader& reader, const std::optional<metrics::RunFigures>& figures);

/// `polyhead info`: layout, progress, summary, certificate, provenance, identity, fingerprint, config. With
/// `bad`, each quarantined sample with its id and reason.
std::string info_text(const store::Reader& reader, const std::filesystem::path& path, bool bad);

}  // namespace polyhead::report
