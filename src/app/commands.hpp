#pragma once

#include <map>
#include <string>

#include <CLI/CLI.hpp>

#include "polyhead/run/progress.hpp"

namespace polyhead::app {

/// Adds every command to the command line. Parsing runs the named one and sets `exit_code` to its result.
void add_commands(CLI::App& app, int argc, char** argv, int& exit_code);

/// `polyhead run`, in run_command.cpp: starts MPI.
void add_run(CLI::App& app, int argc, char** argv, int& exit_code);

/// `polyhead check`, in check_command.cpp.
void add_check(CLI::App& app);

/// `polyhead info`, in info_command.cpp.
void add_info(CLI::App& app);

/// `polyhead verify`, in verify_command.cpp.
void add_verify(CLI::App& app);

/// `polyhead doctor`, in doctor_command.cpp; starts MPI, too.
void add_doctor(CLI::App& app, int& exit_code);

/// Words of `--progress`.
const std::map<std::string, run::ProgressStyle>& progress_styles();

/// `polyhead plan`, in plan_command.cpp.
void add_plan(CLI::App& app);

}  // namespace polyhead::app
