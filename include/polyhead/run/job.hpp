#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "polyhead/comm/mpi.hpp"
#include "polyhead/metrics/run_figures.hpp"
#include "polyhead/run/progress.hpp"
#include "polyhead/run/resume.hpp"
#include "polyhead/run/status_file.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::run {

/// What the command line says about a run.
struct JobOptions {
  std::filesystem::path config;
  std::vector<std::string> overrides;
  store::Existing existing = store::Existing::refuse;
  bool retry_bad = false;  ///< where the run goes on with an output: quarantined samples are computed again
  bool allow_mixed = false;
  ProgressStyle progress = ProgressStyle::automatic;
  std::filesystem::path trace;  ///< for spans of each rank (base/trace.hpp); empty: none
  std::string command_line;     ///< for the provenance
  std::string resume_command;   ///< what goes on with this run, for messages
  Summarise summarise;
  /// Of the program: run.time_limit counts from there.
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
};

/// What rank 0 knows at the end.
struct JobResult {
  std::filesystem::path output;
  std::optional<metrics::RunFigures> figures;  ///< none where the output was complete already
};

/// Runs a job on all ranks, from configuration to complete result file. Collective. The result is filled on
/// rank 0. Throws comm::AgreedError on all ranks for what is wrong before work starts; any other failure
/// while running ends the job through `MpiEnvironment::abort`, after committing what is finished. A stop that
/// was asked for is an AgreedError, too (preempted), with all that is finished kept.
JobResult run_job(comm::MpiEnvironment& mpi, const JobOptions& options, StatusFile& status);

}  // namespace polyhead::run
