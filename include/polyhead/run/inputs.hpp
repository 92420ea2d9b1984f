#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/model/weights.hpp"
#include "polyhead/plan/micro_batches.hpp"

namespace polyhead::run {

/// All that a job computes from, checked.
struct Inputs {
  config::Config config;  ///< globs expanded
  std::unique_ptr<data::Dataset> dataset;
  model::Weights weights;

  [[nodiscard]] plan::MicroBatches micro_batches() const;
};

/// Samples in a micro-batch when the configuration leaves it to polyhead. Never depends on the ranks: it is
/// part of the job.
inline constexpr int kDefaultBatch = 32;

/// Reads and checks configuration, data set and weights, as rank 0 does before a run and `polyhead check`
/// does without one. What is worth telling goes to the log. Throws Error.
Inputs load_inputs(const std::filesystem::path& config, const std::vector<std::string>& overrides);

/// Gives rank 0's inputs to all ranks: configuration and weights by broadcast, the data set opened by each.
/// Collective; on other ranks `inputs` is filled. Throws AgreedError on all ranks when one of them cannot
/// follow.
void share_inputs(comm::Collectives& world, Inputs& inputs);

}  // namespace polyhead::run
