#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "polyhead/comm/mpi.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/doctor/finding.hpp"

namespace polyhead::doctor {

/// Findings about the hosts of a job.
struct Examination {
  std::vector<HostReport> reports;  ///< rank 0's host comes first
  bool complete = true;             ///< whether every host has answered, so that the ranks may end together
};

/// Examines every host of the job, one rank on each. Rank 0 checks the output, which it writes; `config` is
/// rank 0's, empty without one. Collective; only rank 0 gets reports. A host that does not answer within
/// `limit` is a problem of its own.
Examination examine(comm::MpiEnvironment& mpi, const std::optional<config::Config>& config,
                    std::chrono::milliseconds limit);

}  // namespace polyhead::doctor
