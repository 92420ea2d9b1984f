#pragma once

#include <stdexcept>
#include <string>

namespace polyhead {

/// Exit codes of the process. They follow sysexits(3) where it names the case, so that launch scripts can
/// distinguish a bad input from a lost machine.
enum class ExitCode : int {
  ok = 0,
  usage = 64,        ///< the command line is wrong
  bad_data = 65,     ///< an input file was read and is not what it should be
  no_input = 66,     ///< an input file is missing or may not be read
  unavailable = 69,  ///< a rank was lost or fell silent
  internal = 70,     ///< a defect of polyhead, or an unforeseen error
  cant_create = 73,  ///< the output cannot be created, or is already there
  io_error = 74,     ///< reading or writing failed while running
  preempted = 75,    ///< stopped on request; what is finished is kept
  config = 78,       ///< the configuration is wrong
};

/// Error that a user can act on: what happened, where, what was expected and how to mend it, in one text. Any
/// module may throw it; only `app` catches it and turns it into an exit code.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// This rank has waited for others in vain. Another rank may know the reason.
class TimeoutError : public Error {
 public:
  using Error::Error;
};

}  // namespace polyhead
