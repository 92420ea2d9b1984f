#include "resume_command.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include <fmt/format.h>
#include <unistd.h>

#include "polyhead/base/text.hpp"

namespace polyhead::app {
namespace {

constexpr std::array<std::string_view, 4> kStarters{"mpirun", "mpiexec", "orterun", "prterun"};

std::string quoted(const std::string& word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

/// The words of a process's command line; none when it cannot be read.
std::vector<std::string> words_of(int process) {
  std::ifstream file(fmt::format("/proc/{}/cmdline", process), std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

bool is_starter(const std::string& program) {
  const std::string_view name = std::string_view(program).substr(program.rfind('/') + 1);
  return std::ranges::any_of(kStarters, [&](std::string_view starter) { return name.starts_with(starter); });
}

}  // namespace

std::string quoted(const std::vector<std::string>& words) {
  std::vector<std::string> all;
  std::ranges::transform(words, std::back_inserter(all),
                         [](const std::string& word) { return quoted(word); });
  return join(all, " ");
}

std::string resume_command(const std::vector<std::string>& words) {
  std::vector<std::string> kept;
  std::ranges::copy_if(words, std::back_inserter(kept), [](const std::string& word) {
    return word != "--overwrite" && word != "--retry-bad" && word != "--resume" &&
           !word.starts_with("--resume=");
  });
  kept.emplace_back("--resume");
  return quoted(kept);
}

std::vector<std::string> command_typed(const std::vector<std::string>& words) {
  std::vector<std::string> parent = words_of(::getppid());
  // Several programs, divided by colons, have options of their own each.
  const bool simple = !parent.empty() && is_starter(parent.front()) && std::ranges::count(parent, ":") == 0;
  if (simple) return parent;
  std::vector<std::string> command;
  if (const char* ranks = std::getenv("OMPI_COMM_WORLD_SIZE")) {  // by mpirun on another host
    command = {"mpirun", "-np", ranks};
  } else if (const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS")) {
    command = {"srun", "-n", tasks};
  }
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

std::string how_to_go_on(const std::vector<std::string>& words) {
  const char* const script = std::getenv("POLYHEAD_COMMAND");
  return script != nullptr && *script != '\0' ? script : resume_command(command_typed(words));
}

}  // namespace polyhead::app
