#pragma once

#include <cstdint>

#include "polyhead/base/image.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/memory.hpp"
#include "polyhead/plan/workload.hpp"

namespace polyhead::run {

/// What a job costs, from its configuration (globs expanded), the size of its preprocessed images and the
/// number of its samples. `threads`: that a rank computes with on a CPU; `reading`: what the data set tells.
/// Looks at no file. Throws Error(bad_data) when the heads differ in their number of classes.
plan::Workload workload_of(const config::Config& config, ImageShape image, std::int64_t samples, int threads,
                           const image::ReadingMemory& reading = {});

}  // namespace polyhead::run
