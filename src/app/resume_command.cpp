#include "resume_command.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

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

/// Words of a process's command line; none when it cannot be read.
std::vector<std::string> words_of(int process) {
  std::ifstream file(fmt::format("/proc/{}/cmdline", process), std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(file, word, '\0');) words.push_back(word);
  return words;
}

/// Working folder of a process; empty when it cannot be read, or when the folder is gone.
std::string folder_of(int process) {
  std::error_code none;
  const std::filesystem::path link = fmt::format("/proc/{}/cwd", process);
  const std::filesystem::path folder = std::filesystem::read_symlink(link, none);
  return !folder.empty() && std::filesystem::is_directory(folder, none) ? folder.string() : "";
}

bool is_starter(const std::string& program) {
  const std::string_view name = std::string_view(program).substr(program.rfind('/') + 1);
  return std::ranges::any_of(kStarters, [&](std::string_view starter) { return name.starts_with(starter); });
}

std::vector<std::string> begun_by_srun(const std::string& tasks, const comm::Variables& variable) {
  std::vector<std::string> command{"srun"};
  // Without it srun takes the cluster's default, which may not reach this MPI.
  if (const auto type = variable("SLURM_MPI_TYPE")) command.push_back("--mpi=" + *type);
  if (const auto nodes = variable("SLURM_STEP_NUM_NODES")) command.insert(command.end(), {"-N", *nodes});
  command.insert(command.end(), {"-n", tasks});
  return command;
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
    const std::string option = word.substr(0, word.find('='));
    return option != "--overwrite" && option != "--retry-bad" && option != "--resume";
  });
  kept.emplace_back("--resume");
  return quoted(kept);
}

Typed command_typed(const std::vector<std::string>& words, const comm::Variables& variable) {
  const int parent_id = ::getppid();
  const std::vector<std::string> parent = words_of(parent_id);
  // Several programs, separated by colons, have options of their own each.
  const bool simple = !parent.empty() && is_starter(parent.front()) && std::ranges::count(parent, ":") == 0;
  if (simple) return {folder_of(parent_id), parent};
  std::vector<std::string> command;
  if (const auto ranks = variable("OMPI_COMM_WORLD_SIZE")) {  // mpirun runs on another host
    command = {"mpirun", "-np", *ranks};
  } else if (const auto tasks = variable("SLURM_STEP_NUM_TASKS")) {
    command = begun_by_srun(*tasks, variable);
  }
  command.insert(command.end(), words.begin(), words.end());
  return {folder_of(::getpid()), command};
}

std::string how_to_go_on(const std::vector<std::string>& words, const comm::Variables& variable) {
  const auto script = variable("POLYHEAD_COMMAND");
  if (script && !script->empty()) return *script;
  const Typed typed = command_typed(words, variable);
  const std::string command = resume_command(typed.words);
  return typed.folder.empty() ? command : fmt::format("cd {} && {}", quoted({typed.folder}), command);
}

}  // namespace polyhead::app
