#pragma once

#include <functional>
#include <optional>
#include <string>

namespace polyhead::comm {

/// What the environment says about the start of this process.
struct Launch {
  std::string launcher;  ///< "Slurm's srun"
  std::string evidence;  ///< "SLURM_STEP_NUM_TASKS=4"
  int ranks = 1;         ///< that it has started, at least
  int rank = 0;          ///< of this process among them
  bool counted = true;   ///< `ranks` is exact
};

/// The value of an environment variable; nothing where it is not set.
using Variables = std::function<std::optional<std::string>(const char* name)>;

/// Of this process.
std::optional<std::string> process_variable(const char* name);

/// Number of this process among those of its launcher, from 0, also before MPI is started.
int launched_rank(const Variables& variables = process_variable);

/// The launcher that has started more processes than the `world_size` that MPI knows of: another MPI's, or
/// one that does not reach the MPI library of a container. Nothing where all is as it should be, and where
/// POLYHEAD_ALLOW_SINGLETON says that each process is meant to be a job of its own.
std::optional<Launch> launcher_without_ranks(int world_size, const Variables& variables = process_variable);

/// What is wrong then, and what to start the job with. `library`: `mpi_library()`.
std::string describe(const Launch& launch, int world_size, const std::string& library);

/// A hint for where MPI is about to fail and to end the process by itself: Open MPI under srun with another
/// plugin than PMIx, which only few builds of it know. Empty where there is no reason for one.
std::string hint_before_start(const std::string& library, const Variables& variables = process_variable);

}  // namespace polyhead::comm
