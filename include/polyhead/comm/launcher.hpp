#pragma once

#include <functional>
#include <optional>
#include <string>

namespace polyhead::comm {

/// Start of this process, as the environment describes it.
struct Launch {
  std::string launcher;  ///< "Slurm's srun"
  std::string evidence;  ///< "SLURM_STEP_NUM_TASKS=4"
  int ranks = 1;         ///< number of ranks that it has started, at least
  int rank = 0;          ///< number of this process among them
  bool counted = true;   ///< `ranks` is exact
};

/// Value of an environment variable; nothing where it is not set.
using Variables = std::function<std::optional<std::string>(const char* name)>;

/// Value of a variable of this process.
std::optional<std::string> process_variable(const char* name);

/// Number of this process among those of its launcher, from 0, also before MPI is started.
int launched_rank(const Variables& variables = process_variable);

/// Launcher that has started more processes than the `world_size` that MPI knows of: another MPI's, or one
/// that does not reach the MPI library of a container. Nothing where the counts agree, or where
/// POLYHEAD_ALLOW_SINGLETON makes each process a job of its own.
std::optional<Launch> launcher_without_ranks(int world_size, const Variables& variables = process_variable);

/// Describes the mismatch, and what to start the job with. `library`: `mpi_library()`.
std::string describe(const Launch& launch, int world_size, const std::string& library);

/// Hint for a start in which MPI is about to fail and end the process by itself. The case is Open MPI under
/// srun with another plugin than PMIx, which few builds of it support. Empty in other cases.
std::string hint_before_start(const std::string& library, const Variables& variables = process_variable);

}  // namespace polyhead::comm
