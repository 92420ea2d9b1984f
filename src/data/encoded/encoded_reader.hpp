#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "data/files/file_calls.hpp"
#include "polyhead/base/digest.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/location.hpp"
#include "polyhead/data/reader.hpp"

namespace polyhead::data {

/// Size of every image after preprocessing. Throws Error(config) when data.preprocess.crop does not give one.
ImageShape encoded_shape(const config::Data& config);

/// Reads and decodes JPEG and PNG files, whole ones or parts of tars. Throws Error(config, bad_data).
std::unique_ptr<SampleReader> open_encoded_reader(const config::Data& config, const DatasetShape& shape,
                                                  FileCalls calls = {});

/// `open_encoded_reader` with the system's calls.
std::unique_ptr<SampleReader> open_encoded(const config::Data& config, const DatasetShape& shape);

/// Digests of the bytes at these places, and of the reasons where there are none. Throws Error(io_error).
std::vector<Digest> digest_places(std::span<const Location> places, std::uint64_t max_file_size);
/// `digest_places` within `config.max_file_size`; nothing else is asked of the data set.
std::vector<Digest> digest_encoded(const config::Data& config, const DatasetShape& shape,
                                   std::span<const Location> places);

}  // namespace polyhead::data
