#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/plan/planner.hpp"

namespace polyhead::report {

/// "data", "heads" or "grid"
std::string_view strategy_of(const plan::Grid& grid);

/// "12", or "12-13" where the ranks of a group differ.
std::string head_counts(const std::vector<plan::HeadRange>& heads);

/// Assignment of heads to the ranks of a group, as a sentence.
std::string heads_text(const std::vector<plan::HeadRange>& heads);

/// Memory of the rank that needs most: on its GPU where ranks have one, else on its host.
std::int64_t most_memory(const plan::Candidate& candidate, const plan::MemoryLimits& limits);

}  // namespace polyhead::report
