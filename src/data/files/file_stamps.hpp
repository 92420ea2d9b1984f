#pragma once

#include <optional>
#include <span>
#include <string>

#include "polyhead/base/digest.hpp"

namespace polyhead::data {

/// Adds to the digest the file's size and time of change, or that it is missing. False where the file may
/// have changed a moment ago or cannot be examined: its stamp then proves nothing later.
bool add_file_stamp(Hasher& hasher, const std::string& path);
/// Digest of several files' stamps; nothing if `add_file_stamp` is false for one of them.
std::optional<Digest> file_stamps(std::span<const std::string> paths);

}  // namespace polyhead::data
