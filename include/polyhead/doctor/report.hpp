#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "polyhead/doctor/finding.hpp"

namespace polyhead::doctor {

/// Report as bytes for the way to rank 0, and back.
std::vector<std::byte> pack(const HostReport& report);
HostReport unpack(std::span<const std::byte> bytes);

/// One line per check where all hosts agree, else one line per answer, with the hosts that gave it; advice
/// follows.
std::string text(const std::vector<HostReport>& reports);

/// {"problems": 1, "findings": [{"check": ..., "verdict": ..., "text": ..., "advice": ..., "hosts": [...]}]}
std::string json(const std::vector<HostReport>& reports);

/// Number of findings that are problems, each counted once however many hosts have it.
int problems(const std::vector<HostReport>& reports);

}  // namespace polyhead::doctor
