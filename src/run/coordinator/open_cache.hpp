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

/// The cache that `output.cache` asks for; on rank 0. None, with a warning, where another job holds it, the
/// disk is too small, or ranks of several kinds (`mixed`) would fill it with different bits. `anew`:
/// micro-batches whose features may not be taken from it. `inputs` must outlive the cache.
std::unique_ptr<store::FeatureCache> open_cache(Inputs& inputs, const std::string& fingerprint, bool mixed,
                                                std::span<const std::int64_t> anew);

/// Lets every rank send the features that it computes to the coordinator, if there is a cache on rank 0.
/// Collective. `pipeline`: none on a surplus rank. The channel must outlive it.
void send_features(comm::Collectives& world, const store::FeatureCache* cache, GroupPipeline* pipeline,
                   comm::Channel& to_coordinator);

}  // namespace polyhead::run
