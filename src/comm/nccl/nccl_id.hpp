#pragma once

#include <nccl.h>

#include "polyhead/comm/collectives.hpp"

namespace polyhead::comm {

/// Id of a new communicator, which rank 0 of `bootstrap` makes for all. Collective; throws
/// AgreedError(unavailable).
ncclUniqueId share_id(Collectives& bootstrap);

}  // namespace polyhead::comm
