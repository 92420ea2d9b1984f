#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/plan/planner.hpp"

/// A plan's decisions in words.
namespace polyhead::plan {

/// "4 x 2"
std::string text_of(const Grid& grid);

/// The memory that is furthest beyond its limit, and the rank that needs it.
struct Excess {
  std::int64_t rank = 0;
  bool gpu = false;
  std::int64_t needed = 0;
  std::int64_t limit = 0;

  [[nodiscard]] std::string_view where() const { return gpu ? "GPU" : "host"; }
};

Excess excess_of(const Candidate& candidate, const MemoryLimits& limits);

/// Reason for the automatic choice, as a sentence.
std::string explain_choice(const Plan& plan, const Workload& workload, const Topology& topology);

/// Facts that a user should know: ranks that idle, missing memory, causes of slowness. In warnings.cpp.
std::vector<std::string> warnings_of(const Plan& plan, const Workload& workload, const Topology& topology);

}  // namespace polyhead::plan
