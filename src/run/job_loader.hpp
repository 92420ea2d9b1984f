#pragma once

#include <cstdint>
#include <memory>

#include "polyhead/data/loader.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/run/inputs.hpp"

namespace polyhead::run {

/// Micro-batches that `data.read_ahead` holds.
std::int64_t read_ahead_depth(const Inputs& inputs);

/// What reads the job's images on a rank: `data.workers` threads, `depth` micro-batches ahead. A GPU gets
/// bytes, a quarter of the traffic, and normalises them itself. Throws as `data::open_reader`.
std::unique_ptr<data::Loader> make_loader(const Inputs& inputs, const model::Placement& placement,
                                          std::int64_t depth);

}  // namespace polyhead::run
