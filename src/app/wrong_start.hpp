#pragma once

#include <optional>

#include "polyhead/comm/launcher.hpp"
#include "polyhead/comm/mpi.hpp"

namespace polyhead::app {

/// Warns where MPI is likely to end this process at its start; only the first process logs it.
void warn_before_start();

/// Whether this process speaks for all processes that the launcher has started.
bool speaks_for_all(const comm::Launch& launch);

/// Exit code for a process that another MPI's launcher has started as one of several; nothing in a regular
/// start. Logs the error once for all processes.
std::optional<int> refuse_wrong_launcher(const comm::MpiEnvironment& mpi);

}  // namespace polyhead::app
