#pragma once

#include <string>
#include <vector>

#include "polyhead/plan/planner.hpp"

namespace polyhead::report {

/// What a plan is about, in words.
struct PlanContext {
  std::string job;       ///< "ensemble.yaml: 50000 images of 224 x 224, resnet18, 5 heads, 10 classes"
  std::string machines;  ///< "64 ranks on 8 nodes, 8 a node, each with a GPU"
  std::vector<std::string> measured;  ///< what was measured, a line each
  std::vector<std::string> assumed;   ///< what was not
};

/// A plan for a terminal: who runs what, memory, time, what else was considered and why it was not taken.
std::string plan_text(const plan::Plan& plan, const plan::Workload& workload, const PlanContext& context);

/// The same as a JSON object. Times in seconds, memory in bytes.
std::string plan_json(const plan::Plan& plan, const plan::Workload& workload, const PlanContext& context);

}  // namespace polyhead::report
