#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "polyhead/base/image.hpp"
#include "polyhead/comm/collectives.hpp"
#include "polyhead/model/model.hpp"

namespace polyhead::run {

/// Results of a rank's GPU for a micro-batch that all ranks share.
struct WarmUp {
  std::string features;  ///< digest of the backbone's features; empty where a rank has no result
  std::string scores;    ///< digest of its heads' scores
};

/// Computes the results. `batch`: images [batch, H, W, 3] of `image`'s size. `heads`, `feature_width`,
/// `classes`: the model's. On the way it chooses and makes all that the work will need on the GPU.
WarmUp warm_up(model::Model& model, std::int64_t batch, ImageShape image, std::int64_t heads,
               std::int64_t feature_width, std::int64_t classes);

/// Compares the ranks. Ranks of one `fingerprint` must have equal features, and ranks that hold the same
/// heads (`member`) equal scores. Libraries choose their algorithms at run time, also by free memory, and
/// nothing else shows the choice. Throws AgreedError(unavailable) that names two ranks and their `hosts`.
/// Collective over the world.
void compare_warm_ups(comm::Collectives& world, const WarmUp& mine, const std::string& fingerprint,
                      int member, const std::vector<std::string>& hosts);

}  // namespace polyhead::run
