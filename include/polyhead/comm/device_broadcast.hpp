#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>

#include "polyhead/comm/collectives.hpp"

namespace polyhead::comm {

/// Ranks with a GPU each, which get bytes of the first of them straight into the memory of their GPUs, over
/// NCCL's broadcast. Every rank makes each call, in the same order, from one thread at a time. Waits are
/// bounded; the first failure ends it for good, with Error(unavailable) then and at each later call. When it
/// goes, it leaves in good order: the others must let theirs go, too.
class DeviceBroadcast {
 public:
  virtual ~DeviceBroadcast() = default;
  /// `from`: on rank 0, in host memory. `to`: this rank's place for them, memory of its GPU; rank 0 may have
  /// none (nullptr). All give the same number of `bytes`.
  virtual void broadcast(std::span<const std::byte> from, std::byte* to, std::size_t bytes) = 0;

  /// The same among those who `join`, in the same order (ncclCommSplit); nothing for the others. All ranks
  /// call it, and rank 0 always joins. Throws Error(unavailable).
  [[nodiscard]] virtual std::unique_ptr<DeviceBroadcast> among(bool join) = 0;
};

/// Of all ranks of `bootstrap`, each with a GPU of its own, `device`. Collective; throws as `make_nccl` does.
std::unique_ptr<DeviceBroadcast> make_device_broadcast(Collectives& bootstrap, int device,
                                                       std::chrono::milliseconds timeout);

}  // namespace polyhead::comm
