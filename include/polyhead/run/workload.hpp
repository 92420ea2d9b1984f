#pragma once

#include <cstdint>

#include "polyhead/base/image.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/plan/workload.hpp"

namespace polyhead::run {

/// What a job costs, from its configuration (globs expanded), the size of its preprocessed images and the
/// number of its samples. Looks at no file. Throws Error(bad_data) when the heads differ in their number of
/// classes.
plan::Workload workload_of(const config::Config& config, ImageShape image, std::int64_t samples);

}  // namespace polyhead::run
