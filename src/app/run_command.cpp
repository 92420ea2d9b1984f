#include <atomic>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "commands.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/stop.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/comm/mpi.hpp"
#include "polyhead/report/summary.hpp"
#include "polyhead/run/job.hpp"
#include "polyhead/run/status_file.hpp"
#include "resume_command.hpp"
#include "start_limit.hpp"
#include "wrong_start.hpp"

namespace polyhead::app {
namespace {

/// Bounds the waits of set-up and end, where rank 0 may scan a large data set while the others wait.
constexpr std::chrono::minutes kSetupLimit{30};
/// Time after a second signal in which the coordinator can commit what has arrived.
constexpr std::chrono::seconds kLastCommit{3};

void print_summary(const run::JobResult& result) {
  const store::Reader reader(result.output);
  fmt::print("{}", report::summary_text(reader, result.output, result.figures));
}

int run_with(comm::MpiEnvironment& mpi, const run::JobOptions& options, run::StatusFile& status) {
  try {
    const run::JobResult result = run::run_job(mpi, options, status);
    if (mpi.rank() == 0) print_summary(result);
    return 0;
  } catch (const comm::AgreedError& error) {
    if (mpi.rank() == 0 && error.code() == ExitCode::preempted) {
      status.set("stopped_by", run::who_stopped(error.what()));
      log::warning(error.what());
    } else if (mpi.rank() == 0) {
      log::error(error.what());
    }
    return static_cast<int>(error.code());
  } catch (const Error& error) {  // only this rank failed: the others must not wait for it
    log::error(error.what());
    mpi.abort(static_cast<int>(error.code()));
  } catch (const std::exception& error) {
    log::error(fmt::format("internal error: {}", error.what()));
    mpi.abort(static_cast<int>(ExitCode::internal));
  }
}

int run_on_all_ranks(const run::JobOptions& options) {
  constexpr int kStopped = static_cast<int>(ExitCode::preempted);
  std::atomic<comm::MpiEnvironment*> running = nullptr;
  const StopSignals signals(
      [&] {
        if (comm::MpiEnvironment* mpi = running) mpi->abort(kStopped);
        _exit(kStopped);  // MPI has not started, or has ended
      },
      kLastCommit);
  warn_before_start();
  comm::MpiEnvironment mpi(kSetupLimit, start_limit(comm::MpiEnvironment::kStartLimit));
  log::set_rank(mpi.rank(), mpi.host());
  if (const auto code = refuse_wrong_launcher(mpi)) return *code;
  run::StatusFile status(run::StatusFile::path_for(mpi.rank()));
  status.set("resume", options.resume_command);
  mpi.before_abort([&](int code) { status.end(code); });
  running = &mpi;
  const int code = run_with(mpi, options, status);
  running = nullptr;
  status.end(code);
  return code;
}

}  // namespace

void add_run(CLI::App& app, int argc, char** argv, int& exit_code) {
  auto options = std::make_shared<run::JobOptions>();
  options->command_line = join({argv, argv + argc}, " ");
  options->resume_command = how_to_go_on({argv, argv + argc});
  options->summarise = report::summary_json;
  // A flag takes a value only after '=': the next word may be the configuration.
  auto resume = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("run", "Run an ensemble: mpirun -np N polyhead run config.yaml");
  command->add_option("config", options->config, "YAML file")->required();
  command->add_option("--set", options->overrides, "Override an option: --set key.sub=value")->take_all();
  auto* overwrite = command->add_flag_callback(
      "--overwrite", [options] { options->existing = store::Existing::overwrite; },
      "Replace the output file if it is there: a result of polyhead, or an empty file");
  // A flag that takes a value only after '=': the next word may be the configuration.
  auto* go_on =
      command
          ->add_flag(
              "--resume{yes}", *resume,
              "Go on with the output file of an earlier run; --resume=auto begins anew where there is none")
          ->check(CLI::IsMember({"yes", "auto"}))
          ->excludes(overwrite);
  command
      ->add_flag("--retry-bad", options->retry_bad,
                 "With --resume: compute quarantined samples again, whose files may have been mended")
      ->needs(go_on);
  command->add_flag("--allow-mixed", options->allow_mixed,
                    "Accept ranks whose results differ in the last digits (other processors or versions)");
  command->add_option("--trace", options->trace,
                      "Write what each rank does when: FILE.json becomes FILE.0.json and so on, for "
                      "chrome://tracing and ui.perfetto.dev");
  command->add_option("--progress", options->progress, "auto, bar, lines or none")
      ->transform(CLI::CheckedTransformer(progress_styles(), CLI::ignore_case));
  command->callback([options, resume, &exit_code] {
    if (*resume == "yes") options->existing = store::Existing::resume;
    if (*resume == "auto") options->existing = store::Existing::resume_if_there;
    exit_code = run_on_all_ranks(*options);
  });
}

}  // namespace polyhead::app
