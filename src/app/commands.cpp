#include "commands.hpp"

#include <string>

#include <fmt/format.h>

#include "polyhead/config/load.hpp"
#include "polyhead/model/model.hpp"

namespace polyhead::app {
namespace {

void add_config_reference(CLI::App& app) {
  app.add_subcommand("config-reference", "Print every option of the configuration file")->callback([] {
    fmt::print("{}", config::reference());
  });
}

}  // namespace

const std::map<std::string, run::ProgressStyle>& progress_styles() {
  static const std::map<std::string, run::ProgressStyle> kStyles{{"auto", run::ProgressStyle::automatic},
                                                                 {"bar", run::ProgressStyle::bar},
                                                                 {"lines", run::ProgressStyle::lines},
                                                                 {"none", run::ProgressStyle::none}};
  return kStyles;
}

void add_commands(CLI::App& app, int argc, char** argv, int& exit_code) {
  app.require_subcommand(1);
  app.set_version_flag("--version", [] {
    return fmt::format("polyhead {} (LibTorch {})", POLYHEAD_VERSION, model::libtorch_version());
  });
  add_run(app, argc, argv, exit_code);
  add_plan(app);
  add_check(app);
  add_info(app);
  add_verify(app);
  add_doctor(app, exit_code);
  add_config_reference(app);
}

}  // namespace polyhead::app
