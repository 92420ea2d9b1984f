#pragma once

#include <filesystem>
#include <optional>

#include "polyhead/comm/mpi.hpp"
#include "polyhead/metrics/run_figures.hpp"
#include "polyhead/run/job_options.hpp"
#include "polyhead/run/status_file.hpp"

namespace polyhead::run {

/// Result of a job on rank 0.
struct JobResult {
  std::filesystem::path output;
  std::optional<metrics::RunFigures> figures;  ///< none where the output was already complete
};

/// Runs a job on all ranks, from configuration to complete result file. Collective. The result is filled on
/// rank 0. Throws comm::AgreedError on all ranks for errors before work starts. Any other failure while
/// running ends the job through `MpiEnvironment::abort`, after committing finished work. A requested stop is
/// an AgreedError, too (preempted), with all finished work kept.
JobResult run_job(comm::MpiEnvironment& mpi, const JobOptions& options, StatusFile& status);

}  // namespace polyhead::run
