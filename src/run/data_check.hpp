#pragma once

#include <vector>

#include "polyhead/data/dataset.hpp"
#include "polyhead/data/location.hpp"

namespace polyhead::run {

/// Places of some samples spread over the data set, those that this host has; rank 0 chooses them.
std::vector<data::Location> choose_probes(const data::Dataset& dataset);

/// Throws Error(no_input) when this host lacks a file that rank 0 has: it would call every sample missing.
void check_probes(const std::vector<data::Location>& probes);

}  // namespace polyhead::run
