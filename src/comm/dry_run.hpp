#pragma once

#include <memory>

#include "polyhead/comm/collectives.hpp"

namespace polyhead::comm {

/// Rank `rank` of a world of `size` ranks of which only this one exists: every other rank is taken to do and
/// say the same. Nothing is sent and nothing waits. So one machine can run the part of one rank of a large
/// job.
std::unique_ptr<Collectives> make_dry_run(int rank, int size);

}  // namespace polyhead::comm
