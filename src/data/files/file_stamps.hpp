#pragma once

#include <optional>
#include <span>
#include <string>

#include "polyhead/base/digest.hpp"

namespace polyhead::data {

/// Adds size and time of change of the file to the digest, or that it is missing. False where it may have
/// changed a moment ago, or cannot be looked at: then nothing can be told from it later.
bool add_file_stamp(Hasher& hasher, const std::string& path);
/// Of several files; nothing if that holds for one of them.
std::optional<Digest> file_stamps(std::span<const std::string> paths);

}  // namespace polyhead::data
