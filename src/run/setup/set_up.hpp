#pragma once

#include <functional>
#include <string>

#include "polyhead/comm/collectives.hpp"

namespace polyhead::run {

/// A step of set-up on all ranks, before which they may be stopped. What goes wrong elsewhere than on rank 0
/// is told with the place. Collective. Throws AgreedError.
void set_up(comm::Collectives& world, const std::string& host, const std::function<void()>& step);

}  // namespace polyhead::run
