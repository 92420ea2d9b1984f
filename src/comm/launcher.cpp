#include "polyhead/comm/launcher.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>

#include "polyhead/base/text.hpp"

namespace polyhead::comm {
namespace {

constexpr const char* kAllowed = "POLYHEAD_ALLOW_SINGLETON";

/// Variables by which a launcher describes itself to its processes. Any of the names may be missing.
struct Traces {
  std::string_view launcher;
  const char* size = nullptr;  ///< variable with the number of processes
  const char* rank = nullptr;  ///< variable with the number of this one
  const char* mark = nullptr;  ///< variable that must be there as well
  bool is_mpi = true;          ///< part of an MPI, which counts a world; else of a batch system
};

/// Launchers, the more specific ones first: Slurm's srun may set PMI_SIZE, and most set PMIX_RANK. Slurm's
/// batch scripts have SLURM_NTASKS and SLURM_PROCID, but no variable of a step.
constexpr std::array kLaunchers{
    Traces{"Open MPI's mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
    Traces{"MVAPICH's mpirun_rsh", "MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"},
    Traces{"the mpiexec of MPICH or Intel MPI", "PMI_SIZE", "PMI_RANK", "MPI_LOCALNRANKS"},
    Traces{"IBM's jsrun", "JSM_NAMESPACE_SIZE", "JSM_NAMESPACE_RANK"},
    Traces{"Slurm's srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", false},
    Traces{"Flux", "FLUX_JOB_SIZE", "FLUX_TASK_RANK", nullptr, false},
    Traces{"the mpiexec of HPE Cray (PALS)", nullptr, "PALS_RANKID", nullptr, false},
    Traces{"Cray's aprun", nullptr, "ALPS_APP_PE", nullptr, false},
    Traces{"a launcher with PMI", "PMI_SIZE", "PMI_RANK"},
    Traces{"a launcher with PMIx", nullptr, "PMIX_RANK"},
};

std::optional<int> number(const char* name, const Variables& variables) {
  const auto text = name == nullptr ? std::nullopt : variables(name);
  int value = 0;
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool whole = error == std::errc{} && end == text->data() + text->size() && value >= 0;
  return whole ? std::optional(value) : std::nullopt;
}

/// Launch by this launcher; nothing where it has left no traces.
std::optional<Launch> find(const Traces& traces, const Variables& variables) {
  if (traces.mark != nullptr && !variables(traces.mark)) return std::nullopt;
  const auto size = number(traces.size, variables);
  const auto rank = number(traces.rank, variables);
  const char* const shown = size ? traces.size : traces.rank;
  if (!size && !rank) return std::nullopt;
  return Launch{std::string(traces.launcher), fmt::format("{}={}", shown, size ? *size : *rank),
                size ? *size : *rank + 1, rank.value_or(0), size.has_value()};
}

bool is_allowed(const Variables& variables) {
  const auto text = variables(kAllowed);
  return text && !text->empty() && *text != "0";
}

std::string advice(const Launch& launch, std::string_view library) {
  const bool open_mpi = library.starts_with("Open MPI");
  if (launch.launcher == "Slurm's srun" && open_mpi) return "srun --mpi=pmix, or mpirun of that MPI";
  return fmt::format("mpirun of that MPI{}",
                     open_mpi ? " (which mpirun; mpirun --version), or launch/mpirun.sh" : "");
}

}  // namespace

std::optional<std::string> process_variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

int launched_rank(const Variables& variables) {
  for (const Traces& traces : kLaunchers) {
    if (const auto launch = find(traces, variables)) return launch->rank;
  }
  return 0;
}

std::optional<Launch> launcher_without_ranks(int world_size, const Variables& variables) {
  if (is_allowed(variables)) return std::nullopt;
  std::optional<Launch> found;
  for (const Traces& traces : kLaunchers) {
    const auto launch = find(traces, variables);
    if (!launch) continue;
    // The MPI that counts as many ranks is in charge, whatever surrounds it.
    if (traces.is_mpi && traces.size != nullptr && launch->ranks == world_size) return std::nullopt;
    if (!found && launch->ranks > world_size) found = launch;
  }
  return found;
}

std::string hint_before_start(const std::string& library, const Variables& variables) {
  const bool by_srun = variables("SLURM_STEP_NUM_TASKS") && !variables("OMPI_COMM_WORLD_SIZE");
  if (!by_srun || variables("PMIX_RANK") || !library.starts_with("Open MPI")) return "";
  return fmt::format("started by srun --mpi={}: should {} not start now, use srun --mpi=pmix, or mpirun",
                     variables("SLURM_MPI_TYPE").value_or("none"), library.substr(0, library.find(',')));
}

std::string describe(const Launch& launch, int world_size, const std::string& library) {
  return fmt::format(
      "{} has started {}{} processes ({}), but MPI knows of a job of {} in each: all of them would do the "
      "whole "
      "work and write the same output. polyhead uses {}, which that launcher does not reach. Start it with "
      "{}; "
      "in a container, with the same MPI inside and outside. Where each process is meant to be a job of its "
      "own, with an output of its own: {}=1",
      launch.launcher, launch.counted ? "" : "at least ", launch.ranks, launch.evidence,
      counted(world_size, "rank"), library.substr(0, library.find(',')), advice(launch, library), kAllowed);
}

}  // namespace polyhead::comm
