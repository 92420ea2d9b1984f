#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "polyhead/store/file.hpp"
#include "polyhead/store/reader.hpp"
#include "polyhead/store/writer.hpp"

/// Continuation of a result file that an earlier run has left.
namespace polyhead::store {

/// Progress of the file. Throws Error(bad_data) where the file contradicts itself: an invalid ledger byte, a
/// finished micro-batch with samples that have no result.
Committed committed_of(const Reader& reader);

/// Finished micro-batches that hold quarantined samples.
std::vector<std::int64_t> batches_with_bad_samples(const Reader& reader);

/// Opens the file for continuing, and takes the disk space that it does not have yet. Throws Error(io_error),
/// for instance when the disk is too small.
std::unique_ptr<File> open_to_resume(const std::filesystem::path& path);

}  // namespace polyhead::store
