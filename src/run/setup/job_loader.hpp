#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include "polyhead/data/loader.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/run/inputs.hpp"

namespace polyhead::run {

/// What reads the job's images on a rank: `data.workers` threads, as many micro-batches ahead as
/// `data.read_ahead` holds, but no more than `most`. A GPU gets bytes, a quarter of the traffic, and
/// normalises them itself. Throws as `data::open_reader`.
std::unique_ptr<data::Loader> make_loader(const Inputs& inputs, const model::DeviceAssignment& assignment,
                                          std::int64_t most = std::numeric_limits<std::int64_t>::max());

}  // namespace polyhead::run
