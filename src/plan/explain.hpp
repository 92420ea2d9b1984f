#pragma once

#include <string>
#include <vector>

#include "polyhead/plan/planner.hpp"

/// A plan's decisions in words.
namespace polyhead::plan {

/// "4 x 2"
std::string text_of(const Grid& grid);

/// Why the automatic choice is what it is, as a sentence.
std::string explain_choice(const Plan& plan, const Workload& workload, const Topology& topology);

/// What a user should know: ranks that idle, memory that is not there, what slows the job down.
std::vector<std::string> warnings_of(const Plan& plan, const Workload& workload, const Topology& topology);

}  // namespace polyhead::plan
