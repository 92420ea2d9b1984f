#pragma once

#include <stdexcept>
#include <string>

namespace polyhead {

/// What the process returns. The numbers follow sysexits(3) where it has a name for the case, so that launch
/// scripts can tell a bad input from a lost machine.
enum class ExitCode : int {
  ok = 0,
  usage = 64,        ///< the command line is wrong
  bad_data = 65,     ///< an input file was read and is not what it should be
  no_input = 66,     ///< an input file is missing or may not be read
  unavailable = 69,  ///< a rank was lost or fell silent
  internal = 70,     ///< a defect of polyhead, or an error that nobody foresaw
  cant_create = 73,  ///< the output cannot be created, or is already there
  io_error = 74,     ///< reading or writing failed while running
  preempted = 75,    ///< stopped on request; what is finished is kept
  config = 78,       ///< the configuration is wrong
};

/// An error that a user can act on: what happened, where, what was expected and how to mend it, in one text.
/// Thrown everywhere, caught in `app` only, and turned into an exit code there.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// This rank has waited for others in vain: what happened there is the reason, if anybody can tell it.
class TimeoutError : public Error {
 public:
  using Error::Error;
};

}  // namespace polyhead
