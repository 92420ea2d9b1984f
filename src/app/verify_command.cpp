#include <charconv>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "commands.hpp"
#include "polyhead/run/verify.hpp"

namespace polyhead::app {

namespace {

/// Turns "10%" or "0.1" into "0.1". Returns an empty text for a valid share, else the error.
std::string read_share(std::string& text) {
  double share = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, share);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  if (unit == "%") share /= 100;
  const bool sound = error == std::errc{} && (unit.empty() || unit == "%") && share > 0 && share <= 1;
  if (!sound) return fmt::format("'{}' is no share; expected more than 0 and at most 1, or 100%", text);
  text = fmt::format("{}", share);
  return "";
}

}  // namespace

void add_verify(CLI::App& app) {
  auto options = std::make_shared<run::VerifyOptions>();
  CLI::App* command =
      app.add_subcommand("verify", "Compute a result file's rows again, in one process, and compare them");
  command->add_option("file", options->result, "Result file (.h5)")->required();
  auto* sample =
      command->add_option("--sample", options->sample, "Compute only so many micro-batches, evenly spread")
          ->check(CLI::Range(std::int64_t{1}, std::numeric_limits<std::int64_t>::max()));
  command->add_option("--share", options->share, "The same as a share of those that are done, such as 10%")
      ->transform(CLI::Validator(&read_share, "SHARE"))
      ->excludes(sample);
  command->add_option("--data", options->data, "Where the data set is now, if it has moved");
  command
      ->add_option("--set", options->overrides,
                   "Override an option of the run, for inputs that have moved: --set key.sub=value")
      ->take_all();
  command->add_option("--progress", options->progress, "auto, bar, lines or none")
      ->transform(CLI::CheckedTransformer(progress_styles(), CLI::ignore_case));
  command->callback([options] { fmt::print("{}", describe(run::verify(*options), options->result)); });
}

}  // namespace polyhead::app
