#pragma once

#include <memory>
#include <vector>

#include "polyhead/base/image.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/graph/ensemble.hpp"
#include "polyhead/model/load_weights.hpp"
#include "polyhead/model/weights.hpp"

namespace polyhead::model {

/// Members that are whole models, as their files describe them.
struct Members {
  std::shared_ptr<const graph::Ensemble> ensemble;  ///< for micro-batches of `ensemble->graph.batch`
  graph::Sharing sharing;
  std::vector<std::vector<graph::Constant>> constants;  ///< that each member's file holds
};

/// Reads the graphs of the configuration's members, for images of this size, and merges them. Micro-batches
/// have `parallel.batch` samples; where that is left open, as many as a member was exported for, or else
/// `batch`. Throws Error: bad_data that names the file, config where the options do not fit the members.
Members read_members(const config::Config& config, ImageShape image, std::int64_t batch);

/// All constants of the members, packed as `layout_of` says. Reads their files again. Throws
/// Error(bad_data) where one has changed since.
Weights load_members(const config::Config& config, const Members& members);

}  // namespace polyhead::model
