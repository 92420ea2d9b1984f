#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "commands.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/stop.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/report/sharing.hpp"
#include "polyhead/run/against.hpp"
#include "polyhead/run/inputs.hpp"
#include "polyhead/run/looks.hpp"
#include "polyhead/store/existing.hpp"

namespace polyhead::app {
namespace {

struct Options {
  std::string config;
  std::vector<std::string> overrides;
  std::string against;
  run::LookOptions looks;
};

void print_line(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);  // before the next line of the log
}

/// Advice for a run where the output already exists; else empty.
std::string advice_on_output(const std::filesystem::path& output) {
  const std::string ways = store::ways_on(output);
  return ways.empty() ? "" : fmt::format("{} is there already: a run will need {}", output.string(), ways);
}

run::Inputs timed_inputs(const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  run::Inputs inputs = run::check_inputs(options.config, options.overrides);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  print_line(fmt::format("configuration, data set and the weights of {} read in {}",
                         counted(static_cast<std::int64_t>(inputs.config.heads.size()), "head"),
                         human_seconds(seconds.count())));
  return inputs;
}

/// Reference of the command line, or else of the configuration; empty without one.
std::filesystem::path reference_of(const Options& options, const config::Config& config) {
  return options.against.empty() ? config.run.against : std::filesystem::path(options.against);
}

void check(const Options& options) {
  // A signal ends the looks, and their temporary files go.
  const StopSignals signals([] { _exit(static_cast<int>(ExitCode::preempted)); }, std::chrono::seconds(2));
  run::Inputs inputs = timed_inputs(options);
  run::look_at_data(inputs, options.looks);
  const std::filesystem::path against = reference_of(options, inputs.config);
  if (!against.empty()) print_line(run::describe(run::compare_with_reference(inputs, against), against));
  if (inputs.weights.members) fmt::print("{}", report::sharing_text(inputs.sharing));
  const auto batches = inputs.micro_batches();
  print_line(fmt::format("{}: all is well: {} in {}, {}, {} classes", options.config,
                         counted(batches.samples(), "sample"), counted(batches.count(), "micro-batch"),
                         counted(static_cast<std::int64_t>(inputs.config.heads.size()), "head"),
                         inputs.weights.classes));
  const std::string advice = advice_on_output(inputs.config.output.path);
  if (!advice.empty()) print_line(advice);
}

}  // namespace

void add_check(CLI::App& app) {
  auto options = std::make_shared<Options>();
  options->looks.say = print_line;
  CLI::App* command =
      app.add_subcommand("check", "Check a configuration, all its inputs and some images, without running");
  command->add_option("config", options->config, "YAML file")->required();
  command->add_option("--set", options->overrides, "Override an option: --set key.sub=value")->take_all();
  command->add_flag("--images", options->looks.all_images,
                    "Decode every image, and give the smallest data.max_bad that passes");
  command->add_option("--against", options->against,
                      "Compare with logits of a few samples that PyTorch gave: a .npz file (docs/check.md)");
  command->add_option("--progress", options->looks.progress, "auto, bar, lines or none")
      ->transform(CLI::CheckedTransformer(progress_styles(), CLI::ignore_case));
  command->callback([options] { check(*options); });
}

}  // namespace polyhead::app
