#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace polyhead::app {

/// Explains a command line that CLI11 has refused with `error`: an unknown command or option with the nearest
/// one, and the command's usage. `words`: without the program's name. Empty where there are no words: then
/// the help says more.
std::string explain_usage(const CLI::App& app, const CLI::ParseError& error,
                          const std::vector<std::string>& words);

}  // namespace polyhead::app
