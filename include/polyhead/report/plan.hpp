#pragma once

#include <string>
#include <vector>

#include "polyhead/graph/sharing.hpp"
#include "polyhead/plan/planner.hpp"

namespace polyhead::report {

/// Subject of a plan, in words.
struct PlanContext {
  std::string job;       ///< "ensemble.yaml: 50000 images of 224 x 224, resnet18, 5 heads, 10 classes"
  std::string machines;  ///< "64 ranks on 8 nodes, 8 per node, each with a GPU"
  std::vector<std::string> measured;  ///< measured facts, one per line
  std::vector<std::string> assumed;   ///< assumed facts, one per line
  const graph::Sharing* sharing =
      nullptr;  ///< what members that are whole models have in common; null: heads
};

/// A plan for a terminal: assignment, memory, time, the alternatives and why they were not taken.
std::string plan_text(const plan::Plan& plan, const plan::Workload& workload, const PlanContext& context);

/// The plan as a JSON object. Times in seconds, memory in bytes.
std::string plan_json(const plan::Plan& plan, const plan::Workload& workload, const PlanContext& context);

}  // namespace polyhead::report
