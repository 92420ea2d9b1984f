#pragma once

#include <string>
#include <vector>

#include "json_diff.hpp"
#include "polyhead/run/identity.hpp"

namespace polyhead::run {

/// Entries in which the fingerprint of a file differs from that of this machine. A file may have the former
/// form, with entries "cpu", "engine" and "libc". The present form for the same job follows from it. `held`:
/// a JSON object.
std::vector<Change> fingerprint_changes(const nlohmann::json& held, const Fingerprint& now);

}  // namespace polyhead::run
