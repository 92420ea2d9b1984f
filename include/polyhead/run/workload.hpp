#pragma once

#include <cstdint>

#include "polyhead/base/image.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/memory.hpp"
#include "polyhead/plan/workload.hpp"

namespace polyhead::run {

/// Cost of a job, from its configuration (globs expanded), the size of its preprocessed images and the number
/// of its samples. `threads`: number of CPU threads that a rank computes with; `reading`: memory that the
/// data set needs. Reads no file. Throws Error(bad_data) when the heads differ in their number of classes.
plan::Workload workload_of(const config::Config& config, ImageShape image, std::int64_t samples, int threads,
                           const image::ReadingMemory& reading = {});

}  // namespace polyhead::run
