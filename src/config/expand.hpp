#pragma once

#include <functional>
#include <optional>
#include <string>

namespace polyhead::config {

/// Expanded form of a path that a user wrote.
struct Expanded {
  std::string text;
  bool replaced = false;  ///< whether it now contains a value of the environment
  std::string problem;    ///< reason why it cannot be expanded; else empty
};

/// Looks up the value of an environment variable; nothing for one that is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> environment_variable(const std::string& name);

/// Escapes with backslashes the characters that glob(7) would interpret.
std::string escape_pattern(const std::string& text);

/// Replaces `~/` at the start, $NAME and ${NAME}; $$ becomes $, any other $ stays. In a pattern of glob(7),
/// values are taken literally, and a character after a backslash stays as it is. Problems: variables that are
/// not set or empty, ${ without a name, and ~NAME.
Expanded expand(const std::string& text, bool is_pattern, const Environment& environment);

}  // namespace polyhead::config
