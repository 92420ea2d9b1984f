#pragma once

#include <string>
#include <vector>

#include "config/yaml/node.hpp"

namespace polyhead::config {

/// Puts the value of `--set` TEXT ("heads[0].weight=2") into the document, over what is there. What is wrong
/// with the text itself is added to `issues`; whether there is such an option shows when the document is
/// read.
void apply_override(Node& root, const std::string& text, std::vector<Issue>& issues);

}  // namespace polyhead::config
