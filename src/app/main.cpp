#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <malloc.h>

#include "commands.hpp"
#include "polyhead/base/environment.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/comm/launcher.hpp"
#include "usage.hpp"

namespace {

/// Keeps freed memory in the process. Activations of a micro-batch are freed and taken again at each step. By
/// default glibc returns such memory to the system, and the page faults of taking it back cost a quarter of
/// the speed.
void keep_freed_memory() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
}

/// Prints the usage once, in the first of the processes that a launcher has started alike.
int show_usage(CLI::App& app, const CLI::ParseError& error, const std::vector<std::string>& words) {
  constexpr int kUsage = static_cast<int>(polyhead::ExitCode::usage);
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  if (polyhead::comm::launched_rank() != 0) return kUsage;
  const std::string text = polyhead::app::explain_usage(app, error, words);
  if (text.empty()) {
    fmt::print(stderr, "{}", app.help());
  } else {
    polyhead::log::error(text);
  }
  return kUsage;
}

}  // namespace

/// The only place where errors become exit codes.
int main(int argc, char** argv) {
  using polyhead::ExitCode;
  polyhead::settle_environment();
  keep_freed_memory();
  // Exceeding a limit on file sizes is an error like a full disk, not a reason to die.
  std::signal(SIGXFSZ, SIG_IGN);
  CLI::App app{"polyhead: one shared vision backbone, many heads, one fused answer per sample"};
  int exit_code = 0;
  polyhead::app::add_commands(app, argc, argv, exit_code);
  try {
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::ParseError& error) {
    return show_usage(app, error, {argv + 1, argv + argc});
  } catch (const polyhead::Error& error) {
    polyhead::log::error(error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    polyhead::log::error(fmt::format("internal error: {}", error.what()));
    return static_cast<int>(ExitCode::internal);
  }
}
