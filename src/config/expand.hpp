#pragma once

#include <functional>
#include <optional>
#include <string>

namespace polyhead::config {

/// A path as a user writes it, made plain.
struct Expanded {
  std::string text;
  bool replaced = false;  ///< something of the environment is in it now
  std::string problem;    ///< why it cannot be; else empty
};

/// How the value of an environment variable is looked up; nothing for one that is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> environment_variable(const std::string& name);

/// glob(7) takes these characters literally after a backslash.
std::string escape_pattern(const std::string& text);

/// Replaces `~/` at the start, $NAME and ${NAME}; $$ becomes $, any other $ stays. In a pattern of glob(7),
/// values stand for themselves and what follows a backslash is left alone. Variables that are not set or
/// empty, ${ without a name, and ~NAME are problems.
Expanded expand(const std::string& text, bool is_pattern, const Environment& environment);

}  // namespace polyhead::config
