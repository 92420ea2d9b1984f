#pragma once

#include <cstdint>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/metrics/run_figures.hpp"
#include "worker.hpp"

namespace polyhead::run {

/// Figures of all ranks together. `mine`: this rank's; `samples`: of this run. Collective.
metrics::RunFigures add_up(comm::Collectives& world, const WorkerFigures& mine, double seconds,
                           std::int64_t samples, int threads, int workers);

}  // namespace polyhead::run
