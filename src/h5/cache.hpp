#pragma once

#include <cstdint>
#include <string>

#include "polyhead/h5/h5.hpp"

namespace polyhead::h5::detail {

/// Gives an open chunked dataset a cache that holds one band of chunks, so that reading it row by row unpacks
/// every chunk once (HDF5's own cache is 1 MiB). Datasets that need no more, or more than 64 MiB, are
/// returned unchanged. `name` is the dataset's in `file`.
Handle with_chunk_cache(Handle dataset, std::int64_t file, const std::string& name, const std::string& where);

}  // namespace polyhead::h5::detail
