#pragma once

#include <string>

#include "polyhead/graph/sharing.hpp"

namespace polyhead::report {

/// What members have in common, for a terminal: a table by member, what merging saves, and why it is not
/// more.
std::string sharing_text(const graph::Sharing& sharing);

/// The same as a JSON object. Multiply-adds are for one image, weights in bytes.
std::string sharing_json(const graph::Sharing& sharing);

}  // namespace polyhead::report
