#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include "polyhead/data/loader.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/run/inputs.hpp"

namespace polyhead::run {

/// Loader of the job's images on a rank. It has `data.workers` threads, and reads as many micro-batches ahead
/// as `data.read_ahead` holds, but no more than `most`. A GPU gets bytes, a quarter of the traffic, and
/// normalises them itself. Throws what `data::open_reader` throws.
std::unique_ptr<data::Loader> make_loader(const Inputs& inputs, const model::DeviceAssignment& assignment,
                                          std::int64_t most = std::numeric_limits<std::int64_t>::max());

}  // namespace polyhead::run
