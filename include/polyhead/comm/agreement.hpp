#pragma once

#include <functional>

#include "polyhead/base/error.hpp"
#include "polyhead/comm/collectives.hpp"

namespace polyhead::comm {

/// Error that every rank knows of and throws: no rank waits for another, so MPI may be finalized.
class AgreedError : public Error {
 public:
  using Error::Error;
};

/// Runs `step` on this rank, then lets all ranks agree on the outcome. When it threw on any rank, every rank
/// throws the same AgreedError, that of the lowest failing rank. A TimeoutError counts only where no rank has
/// another error. Every rank must call it, whatever it does itself.
void agree(Collectives& world, const std::function<void()>& step);

}  // namespace polyhead::comm
