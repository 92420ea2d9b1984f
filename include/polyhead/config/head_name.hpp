#pragma once

#include <optional>
#include <string>

namespace polyhead::config {

/// What keeps `name` from being a head's name, if anything: "is longer than 63 bytes".
std::optional<std::string> problem_of_head_name(const std::string& name);

}  // namespace polyhead::config
