#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "polyhead/base/digest.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/location.hpp"
#include "polyhead/data/reader.hpp"

/// What a host has of a data set of which rank 0 alone has the list.
namespace polyhead::data {

/// Digests of the bytes of `digested_samples`, as in `DatasetDigest`, but of the files on this host.
/// `places`: of these samples, where their numbers do not say it. Throws Error (no_input, bad_data,
/// io_error), also when the data set here has another size than `shape` says.
std::vector<Digest> digest_samples(const config::Data& config, const DatasetShape& shape,
                                   std::span<const Location> places);

/// Throws Error (no_input, bad_data) where this host lacks what samples are read from beside their own file:
/// sources of an HDF5 file, filters.
void check_sources(const config::Data& config);

}  // namespace polyhead::data
