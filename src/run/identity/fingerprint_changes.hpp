#pragma once

#include <string>
#include <vector>

#include "json_diff.hpp"
#include "polyhead/run/identity.hpp"

namespace polyhead::run {

/// In which entries the fingerprint of a file differs from that of this machine. A file's may have the former
/// form, with entries "cpu", "engine" and "libc": from it follows what today's would have held, for the same
/// job. `held`: a JSON object.
std::vector<Change> fingerprint_changes(const nlohmann::json& held, const Fingerprint& now);

}  // namespace polyhead::run
