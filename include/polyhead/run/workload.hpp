#pragma once

#include <cstdint>

#include "polyhead/base/image.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/memory.hpp"
#include "polyhead/graph/ensemble.hpp"
#include "polyhead/plan/workload.hpp"

namespace polyhead::run {

/// Cost of a job, from its configuration (globs expanded), the size of its preprocessed images and the number
/// of its samples. `threads`: number of CPU threads that a rank computes with; `reading`: memory that the
/// data set needs; `members`: those that are whole models, of whose graphs the trunk counts as the backbone.
/// Reads no file. Throws Error(bad_data) when the heads differ in their number of classes.
plan::Workload workload_of(const config::Config& config, ImageShape image, std::int64_t samples, int threads,
                           const image::ReadingMemory& reading = {},
                           const graph::Ensemble* members = nullptr);

}  // namespace polyhead::run
