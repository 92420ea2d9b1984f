#pragma once

#include <cstdint>
#include <functional>

#include "polyhead/store/reader.hpp"

namespace polyhead::report {

/// Calls `visit` with all rows of the file in chunks of a few MiB, in order. Rows that were written but not
/// committed are given as pending.
void for_each_chunk(const store::Reader& reader,
                    const std::function<void(std::int64_t first, const store::Columns& rows)>& visit);

}  // namespace polyhead::report
