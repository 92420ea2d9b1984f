#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

#include "polyhead/comm/collectives.hpp"

namespace polyhead::comm {

/// Ranks with one GPU each, which receive bytes of the first rank directly in GPU memory, over NCCL's
/// broadcast. Every rank makes each call, in the same order, from one thread at a time. Waits are bounded.
/// After the first failure, that call and each later one throw Error(unavailable). Destruction leaves in good
/// order: the others must destroy theirs, too.
class DeviceBroadcast {
 public:
  virtual ~DeviceBroadcast() = default;
  /// `from`: on rank 0, in host memory. `to`: this rank's destination, in memory of its GPU; rank 0 may have
  /// none (nullptr). All ranks give the same number of `bytes`.
  virtual void broadcast(std::span<const std::byte> from, std::byte* to, std::size_t bytes) = 0;

  /// Broadcast among the ranks that `join`, in the same order (ncclCommSplit); null on the others. All ranks
  /// call it, and rank 0 always joins. Throws Error(unavailable).
  [[nodiscard]] virtual std::unique_ptr<DeviceBroadcast> among(bool join) = 0;
};

/// Broadcast among all ranks of `bootstrap`, each with a GPU of its own, `device`. Collective; throws as
/// `make_nccl` does.
std::unique_ptr<DeviceBroadcast> make_device_broadcast(Collectives& bootstrap, int device,
                                                       std::chrono::milliseconds timeout);

}  // namespace polyhead::comm
