#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "commands.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/comm/mpi.hpp"
#include "polyhead/config/load.hpp"
#include "polyhead/doctor/examine.hpp"
#include "polyhead/doctor/report.hpp"
#include "start_limit.hpp"
#include "wrong_start.hpp"

namespace polyhead::app {
namespace {

/// Limit for MPI's start, during which programs may have to be loaded, and again for the hosts' examination.
constexpr std::chrono::seconds kLimit{30};

struct Options {
  std::string config;
  std::vector<std::string> overrides;
  bool json = false;
};

std::optional<config::Config> read_config(const Options& options) {
  if (options.config.empty()) return std::nullopt;
  return config::load(options.config, options.overrides).config;
}

bool speaks(const comm::MpiEnvironment& mpi) {
  const auto wrong = comm::launcher_without_ranks(mpi.size());
  return mpi.rank() == 0 && (!wrong || speaks_for_all(*wrong));
}

int examine(const Options& options) {
  const std::chrono::milliseconds limit = start_limit(kLimit);
  warn_before_start();
  comm::MpiEnvironment mpi(limit, limit);
  log::set_rank(mpi.rank(), mpi.host());
  int problems = 0;
  try {
    std::optional<config::Config> config;
    comm::agree(*mpi.collectives(), [&] {
      if (mpi.rank() == 0) config = read_config(options);
    });
    const doctor::Examination found = doctor::examine(mpi, config, limit);
    problems = doctor::problems(found.reports);
    if (speaks(mpi))
      fmt::print("{}", options.json ? doctor::json(found.reports) : doctor::text(found.reports));
    std::fflush(stdout);
    if (!found.complete)
      mpi.abort(static_cast<int>(ExitCode::unavailable));  // some ranks would never reach the end
  } catch (const comm::AgreedError& error) {
    if (mpi.rank() == 0) log::error(error.what());
    return static_cast<int>(error.code());
  }
  return problems == 0 ? 0 : static_cast<int>(ExitCode::unavailable);
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "doctor",
      "Look at this machine, or under mpirun at all hosts of a job: what would hinder a run, and what to do");
  command->add_option("config", options->config, "YAML file: whose output and device to look at");
  command->add_option("--set", options->overrides, "Override an option: --set key.sub=value")->take_all();
  command->add_flag("--json", options->json, "Print a JSON object");
  command->callback([options, &exit_code] { exit_code = examine(*options); });
}

}  // namespace polyhead::app
