#pragma once

#include <functional>
#include <string>

#include "polyhead/comm/collectives.hpp"

namespace polyhead::run {

/// `comm::agree`; what goes wrong elsewhere than on rank 0 is told with the place.
void agree_naming_place(comm::Collectives& world, const std::string& host, const std::function<void()>& step);

/// The same, and ranks may be stopped before: not for a step in which they wait for each other. Collective.
/// Throws AgreedError.
void set_up(comm::Collectives& world, const std::string& host, const std::function<void()>& step);

}  // namespace polyhead::run
