#include "usage.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "polyhead/base/text.hpp"

namespace polyhead::app {
namespace {

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

/// Command of that name, or null.
const CLI::App* find_command(const CLI::App& app, const std::string& name) {
  const auto found =
      app.get_subcommands([&](const CLI::App* command) { return command->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

/// "--set", "--resume"
std::vector<std::string> options_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  const auto nearest = closest(word, known);
  return nearest ? fmt::format("; did you mean '{}'?", *nearest) : std::string();
}

bool is_configuration(const std::string& word) {
  const std::string extension = std::filesystem::path(word).extension().string();
  return extension == ".yaml" || extension == ".yml";
}

std::string unknown_command(const CLI::App& app, const std::string& word) {
  const std::vector<std::string> commands = commands_of(app);
  const std::string hint = is_configuration(word) ? fmt::format("; to run that job: polyhead run {}", word)
                                                  : did_you_mean(word, commands);
  return fmt::format("unknown command '{}'{}\nCommands: {}. polyhead --help says what they do", word, hint,
                     join(commands));
}

/// "polyhead run [OPTIONS] config"
std::string synopsis(const CLI::App& command) {
  std::string text = fmt::format("polyhead {} [OPTIONS]", command.get_name());
  for (const CLI::Option* option :
       command.get_options([](const CLI::Option* option) { return option->get_positional(); })) {
    const std::string name = option->get_name(true);
    text += option->get_required() ? " " + name : fmt::format(" [{}]", name);
  }
  return text;
}

/// Message about an unknown option; nothing where the command knows all.
std::optional<std::string> unknown_option(const CLI::App& command, const CLI::ParseError& error) {
  if (error.get_exit_code() != static_cast<int>(CLI::ExitCodes::ExtrasError)) return std::nullopt;
  for (const std::string& word : command.remaining()) {
    if (!word.starts_with("-")) continue;
    const std::string name = word.substr(0, word.find('='));
    return fmt::format("unknown option '{}'{}", name, did_you_mean(name, options_of(command)));
  }
  return std::nullopt;
}

}  // namespace

std::string explain_usage(const CLI::App& app, const CLI::ParseError& error,
                          const std::vector<std::string>& words) {
  const auto word =
      std::ranges::find_if(words, [](const std::string& text) { return !text.starts_with("-"); });
  if (words.empty()) return "";
  if (word == words.end()) {
    return fmt::format("unknown option '{}'{}\nCommands: {}", words.front(),
                       did_you_mean(words.front(), options_of(app)), join(commands_of(app)));
  }
  const CLI::App* command = find_command(app, *word);
  if (command == nullptr) return unknown_command(app, *word);
  return fmt::format("polyhead {}: {}\nUsage: {}. All options: polyhead {} --help", *word,
                     unknown_option(*command, error).value_or(error.what()), synopsis(*command), *word);
}

}  // namespace polyhead::app
