#pragma once

#include <vector>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/comm/device_broadcast.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/model/weights.hpp"
#include "polyhead/plan/grid.hpp"

namespace polyhead::run {

/// Configuration with only the heads in `range`.
config::Config with_heads(const config::Config& config, plan::HeadRange range);

/// Gives every rank the weights of the backbone and of its own heads. Rank 0 broadcasts them in few large
/// pieces, of which a rank keeps its own, and every rank compares digests. `all`: on rank 0, of all heads.
/// `ranges`: heads by member of a group. `member`: this rank's number, whose range may be empty, or -1 for a
/// surplus rank, which gets nothing. Collective. Throws AgreedError on all ranks when one has no memory for
/// them or got other bytes.
model::Weights share_weights(comm::Collectives& world, const config::Config& config, model::Weights& all,
                             const std::vector<plan::HeadRange>& ranges, int member);

/// Gives the weights to the memory of the ranks' GPUs (`Weights::on_gpu`), over NCCL. The backbone goes to
/// all ranks that compute, a member's heads to the ranks that have them. `to_gpus`: of all ranks that
/// compute, null on surplus ones. `device`: this rank's GPU. Collective over the world. Throws
/// AgreedError(unavailable) on all ranks when one has no memory, NCCL fails, a rank does not join in time, or
/// other bytes arrive.
model::Weights share_weights_over_nccl(comm::Collectives& world, const std::string& host,
                                       comm::DeviceBroadcast* to_gpus, int device,
                                       const config::Config& config, model::Weights& all,
                                       const std::vector<plan::HeadRange>& ranges, int member);

}  // namespace polyhead::run
