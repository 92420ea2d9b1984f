#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "extent.hpp"
#include "polyhead/h5/h5.hpp"
#include "polyhead/store/result_shape.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::store {

/// Format version of the file. Throws Error(bad_data) when it is not a result file, or one of an unknown
/// version.
std::int64_t check_version(const h5::File& file);

/// Layout, after a check of every dataset of the result: all exist, with the right type and shape. Throws
/// Error(bad_data) otherwise.
Layout read_layout(const h5::File& file);

/// Offsets at which a run writes. Throws Error(bad_data) when a dataset is missing, or two share bytes.
Offsets offsets_of(const h5::File& file, const Layout& layout);

/// Bytes that runs write, and bytes that grow with the samples: ascending. The rest of the file stays as it
/// is.
std::vector<Extent> open_extents(const h5::File& file, const Layout& layout);

/// The dataset, if it has the type and the shape that the layout asks for. Contiguous, so that HDF5 has
/// checked its extent against the file's length. Throws Error(bad_data) otherwise.
h5::Dataset open_checked(const h5::File& file, const std::string& name, h5::Type type,
                         const std::vector<std::int64_t>& shape);

}  // namespace polyhead::store
