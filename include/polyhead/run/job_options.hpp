#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "polyhead/run/progress.hpp"
#include "polyhead/run/resume.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::run {

/// Options of a run from the command line.
struct JobOptions {
  std::filesystem::path config;
  std::vector<std::string> overrides;
  store::Existing existing = store::Existing::refuse;
  bool retry_bad = false;  ///< computes quarantined samples again, where the run continues an output
  bool allow_mixed = false;
  ProgressStyle progress = ProgressStyle::automatic;
  std::filesystem::path trace;  ///< for spans of each rank (base/trace.hpp); empty: none
  std::string command_line;     ///< for the provenance
  std::string resume_command;   ///< command that continues this run, for messages
  Summarise summarise;
  /// Start of the program: run.time_limit counts from there.
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
};

}  // namespace polyhead::run
