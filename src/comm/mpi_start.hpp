#pragma once

#include "start.hpp"

namespace polyhead::comm {

/// Exchanges a byte with each of the first contacts. Connections are made at first use, so one that hangs is
/// found here. Returns when all have answered, with no limit of its own.
void meet(int rank, int size, StartProgress& progress);

}  // namespace polyhead::comm
