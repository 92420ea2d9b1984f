#pragma once

#include <memory>
#include <span>
#include <string>

#include "polyhead/comm/channel.hpp"
#include "polyhead/comm/collectives.hpp"
#include "polyhead/run/inputs.hpp"
#include "polyhead/store/feature_cache.hpp"
#include "run/worker/group_pipeline.hpp"

namespace polyhead::run {

/// Cache that `output.cache` asks for; on rank 0. Null, with a warning, where another job holds it, or the
/// disk is too small. Also null where ranks of several kinds (`mixed`) would fill it with different bits.
/// `anew`: micro-batches whose features may not be taken from it. `inputs` must outlive the cache.
std::unique_ptr<store::FeatureCache> open_cache(Inputs& inputs, const std::string& fingerprint, bool mixed,
                                                std::span<const std::int64_t> anew);

/// Makes every rank send the features that it computes to the coordinator, if there is a cache on rank 0.
/// `pipeline`: null on a surplus rank. The channel must outlive it. Collective.
void send_features(comm::Collectives& world, const store::FeatureCache* cache, GroupPipeline* pipeline,
                   comm::Channel& to_coordinator);

}  // namespace polyhead::run
