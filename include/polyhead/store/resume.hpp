#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "polyhead/store/file.hpp"
#include "polyhead/store/reader.hpp"
#include "polyhead/store/writer.hpp"

/// How a run goes on with a file that an earlier one has left.
namespace polyhead::store {

/// How far the file is. Throws Error(bad_data) where it contradicts itself: a ledger byte that means nothing,
/// a finished micro-batch with samples that have no result.
Committed committed_of(const Reader& reader);

/// The finished micro-batches that hold quarantined samples.
std::vector<std::int64_t> batches_with_bad_samples(const Reader& reader);

/// Opens the file to go on with it, and takes the disk space that is not yet its own. Throws Error(io_error),
/// for instance when the disk is too small.
std::unique_ptr<File> open_to_resume(const std::filesystem::path& path);

}  // namespace polyhead::store
