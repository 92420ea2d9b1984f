#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "polyhead/base/digest.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/location.hpp"
#include "polyhead/data/reader.hpp"

/// Checks of a data set on a host, where only rank 0 has the list of samples.
namespace polyhead::data {

/// Digests of the bytes of `digested_samples`, as in `DatasetDigest`, from the files on this host. `places`:
/// locations of these samples, where their numbers do not suffice. Throws Error (no_input, bad_data,
/// io_error), also when the data set here has another size than `shape` says.
std::vector<Digest> digest_samples(const config::Data& config, const DatasetShape& shape,
                                   std::span<const Location> places);

/// Throws Error (no_input, bad_data) where this host lacks anything that reading needs beside the samples'
/// own file: sources of an HDF5 file, filters.
void check_sources(const config::Data& config);

}  // namespace polyhead::data
