#pragma once

#include <optional>

#include "polyhead/comm/launcher.hpp"
#include "polyhead/comm/mpi.hpp"

namespace polyhead::app {

/// A warning where MPI is likely to end this process when it starts; said by the first of all.
void warn_before_start();

/// Whether this process speaks for all that the launcher has started.
bool speaks_for_all(const comm::Launch& launch);

/// The exit code for a process that another MPI's launcher has started as one of several; nothing where all
/// is well. Logs what is wrong, once for all of them.
std::optional<int> refuse_wrong_launcher(const comm::MpiEnvironment& mpi);

}  // namespace polyhead::app
