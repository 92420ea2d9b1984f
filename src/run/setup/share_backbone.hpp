#pragma once

#include <string>
#include <vector>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/model/prepared.hpp"

namespace polyhead::run {

/// Prepared weights of the backbone, one copy for all ranks of a host: the first of them writes it, the
/// others map it. `hosts`: of each rank that computes, in rank order; an empty text for one that does not.
/// Empty where there is nothing to share, or where ranks cannot reach each other's memory, which rank 0 logs.
/// The ranks then make their own copy. Collective.
model::Prepared share_backbone(comm::Collectives& world, const std::vector<std::string>& hosts,
                               const config::Backbone& backbone, const model::DeviceAssignment& assignment,
                               const model::Weights& weights);

}  // namespace polyhead::run
