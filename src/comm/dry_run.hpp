#pragma once

#include <memory>

#include "polyhead/comm/collectives.hpp"

namespace polyhead::comm {

/// Rank `rank` of a world of `size` ranks of which only this one exists: every other is taken to do and say
/// the same as it. Nothing is sent and nothing waits, so one machine can go through what a rank of a large
/// job does.
std::unique_ptr<Collectives> make_dry_run(int rank, int size);

}  // namespace polyhead::comm
