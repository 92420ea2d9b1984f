#pragma once

#include <string>
#include <vector>

#include "config/yaml/node.hpp"

namespace polyhead::config {

/// Puts the value of `--set` TEXT ("heads[0].weight=2") into the document, over the value there. Errors in
/// the text itself are added to `issues`; an unknown option is found when the document is read.
void apply_override(Node& root, const std::string& text, std::vector<Issue>& issues);

}  // namespace polyhead::config
