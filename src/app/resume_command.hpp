#pragma once

#include <string>
#include <vector>

#include "polyhead/comm/launcher.hpp"

namespace polyhead::app {

/// Text that a shell splits into these words.
std::string quoted(const std::vector<std::string>& words);

/// Command that continues the run that `words` have started: without --overwrite and with --resume, quoted.
std::string resume_command(const std::vector<std::string>& words);

/// A command as it was typed, and its folder.
struct Typed {
  std::string folder;  ///< empty: not known
  std::vector<std::string> words;
};

/// Command that started this process: mpirun's, word for word, where that is its parent. Otherwise the
/// process's own (`words`), preceded by a starter of as many ranks.
Typed command_typed(const std::vector<std::string>& words, const comm::Variables& variable);

/// Command for messages that continues the run that `words` have started, from any folder. A launch script
/// passes its own command, with arguments, in the environment variable POLYHEAD_COMMAND.
std::string how_to_go_on(const std::vector<std::string>& words,
                         const comm::Variables& variable = comm::process_variable);

}  // namespace polyhead::app
