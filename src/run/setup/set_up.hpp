#pragma once

#include <functional>
#include <string>

#include "polyhead/comm/collectives.hpp"

namespace polyhead::run {

/// `comm::agree` with the place in errors that occur elsewhere than on rank 0.
void agree_naming_place(comm::Collectives& world, const std::string& host, const std::function<void()>& step);

/// `agree_naming_place` that also stops ranks before the step. Not for a step in which they wait for each
/// other. Collective. Throws AgreedError.
void set_up(comm::Collectives& world, const std::string& host, const std::function<void()>& step);

}  // namespace polyhead::run
