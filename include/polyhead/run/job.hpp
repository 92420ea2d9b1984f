#pragma once

#include <filesystem>
#include <optional>

#include "polyhead/comm/mpi.hpp"
#include "polyhead/metrics/run_figures.hpp"
#include "polyhead/run/job_options.hpp"
#include "polyhead/run/status_file.hpp"

namespace polyhead::run {

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
