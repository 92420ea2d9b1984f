#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "polyhead/base/image.hpp"
#include "polyhead/comm/collectives.hpp"
#include "polyhead/model/model.hpp"

namespace polyhead::run {

/// What a rank's GPU computes of a micro-batch that is the same for all ranks.
struct WarmUp {
  std::string features;  ///< digest of the backbone's features; empty where a rank has nothing to say
  std::string scores;    ///< of its heads' scores
};

/// `batch`: images [batch, H, W, 3] of `image`'s size; `heads`, `feature_width`, `classes`: the model's.
/// Everything that the work will need on the GPU is chosen and made on the way.
WarmUp warm_up(model::Model& model, std::int64_t batch, ImageShape image, std::int64_t heads,
               std::int64_t feature_width, std::int64_t classes);

/// Lets the ranks compare. Those of one `fingerprint` must have the same features, and those that hold the
/// same heads (`member`) the same scores: libraries choose their algorithms when they run, by the memory that
/// is free, too, and nothing else shows it. Throws AgreedError(unavailable) that names two ranks and their
/// `hosts`. Collective over the world.
void compare_warm_ups(comm::Collectives& world, const WarmUp& mine, const std::string& fingerprint,
                      int member, const std::vector<std::string>& hosts);

}  // namespace polyhead::run
