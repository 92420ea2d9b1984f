#pragma once

#include <functional>

#include "polyhead/base/error.hpp"
#include "polyhead/comm/collectives.hpp"

namespace polyhead::comm {

/// An Error that every rank knows of and throws: MPI may be finalized, nobody waits for anybody.
class AgreedError : public Error {
 public:
  using Error::Error;
};

/// Runs `step` on this rank, then lets all ranks agree on the outcome: when it threw on any of them, every
/// rank throws the same AgreedError, that of the lowest failing rank; a TimeoutError only where no rank has
/// another one. Every rank must call it, whatever it does itself.
void agree(Collectives& world, const std::function<void()>& step);

}  // namespace polyhead::comm
