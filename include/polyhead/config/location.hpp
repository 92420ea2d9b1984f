#pragma once

#include <map>
#include <string>
#include <vector>

#include "polyhead/base/error.hpp"

namespace polyhead::config {

/// Place where a value was written. `str()` is "file.yaml:3:7" (line and column from 1), or "--set
/// data.path=x".
struct Location {
  std::string source;
  int line = 0;  ///< 0: the source has no lines (the command line)
  int column = 0;
  [[nodiscard]] std::string str() const;
};

/// One error in a configuration.
struct Issue {
  Location where;
  std::string text;
};

/// All errors in a configuration, in the order of the file: one issue per line, "file.yaml:3:7: text".
class ConfigError : public Error {
 public:
  /// `code` is `config`, or `no_input` when missing files are the only errors.
  ConfigError(ExitCode code, std::vector<Issue> issues);
  [[nodiscard]] const std::vector<Issue>& issues() const noexcept { return issues_; }

 private:
  std::vector<Issue> issues_;
};

/// Location of each given value, by its full key: "data.path", "heads[2].weights".
using Locations = std::map<std::string, Location>;

}  // namespace polyhead::config
