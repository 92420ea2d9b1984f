#pragma once

#include <optional>
#include <vector>

#include "polyhead/comm/mpi.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/doctor/finding.hpp"

namespace polyhead::doctor {

/// Examines every host of the job, one rank on each; rank 0's host comes first. The output is looked at by
/// rank 0, which writes it; `config` is rank 0's, empty without one. Collective; only rank 0 gets reports.
std::vector<HostReport> examine(comm::MpiEnvironment& mpi, const std::optional<config::Config>& config);

}  // namespace polyhead::doctor
