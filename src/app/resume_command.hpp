#pragma once

#include <string>
#include <vector>

#include "polyhead/comm/launcher.hpp"

namespace polyhead::app {

/// What a shell takes for these words.
std::string quoted(const std::vector<std::string>& words);

/// What goes on with the run that `words` have started: without --overwrite and with --resume, quoted.
std::string resume_command(const std::vector<std::string>& words);

/// A command as it was typed, and where.
struct Typed {
  std::string folder;  ///< empty: not known
  std::vector<std::string> words;
};

/// The command that started this process: mpirun's, word for word, where that is its parent; else its own
/// (`words`), begun with what starts as many ranks.
Typed command_typed(const std::vector<std::string>& words, const comm::Variables& variable);

/// For messages: what goes on with the run that `words` have started, from any folder. A launch script that
/// started it names itself, with its arguments, in the environment variable POLYHEAD_COMMAND.
std::string how_to_go_on(const std::vector<std::string>& words,
                         const comm::Variables& variable = comm::process_variable);

}  // namespace polyhead::app
