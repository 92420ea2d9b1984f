#pragma once

#include <optional>
#include <string>

namespace polyhead::config {

/// Reason why `name` cannot be a head's name, if any: "is longer than 63 bytes".
std::optional<std::string> problem_of_head_name(const std::string& name);

}  // namespace polyhead::config
