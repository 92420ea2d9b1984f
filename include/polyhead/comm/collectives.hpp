#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace polyhead::comm {

/// A collective under way, for which the caller need not wait yet. Its buffers must stay untouched until
/// `wait` has returned or the handle is gone. The destructor waits, too, so that no buffer is freed during
/// the collective.
class Pending {
 public:
  virtual ~Pending() = default;
  /// Returns when the result is there; further calls do nothing. Throws Error(unavailable) when other ranks
  /// do not join in time, or the network reports a failure.
  virtual void wait() = 0;
};

/// Collective operations of all ranks. Every rank must make each call, in the same order, from one thread at
/// a time. Waits are bounded: a call that other ranks do not join in time throws Error(unavailable).
class Collectives {
 public:
  virtual ~Collectives() = default;
  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;

  /// Sends the bytes of `root` to every rank; all ranks give the same size.
  virtual void broadcast(std::span<std::byte> bytes, int root) = 0;
  /// Sums over all ranks, in place. With integers the result does not depend on the order.
  virtual void all_reduce(std::span<std::int64_t> values) = 0;
  /// Gives every rank the bytes of each rank, of any size, in rank order.
  virtual std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> bytes) = 0;
  virtual void barrier() = 0;

  /// Gathers each rank's `mine` in every rank's `all`, in rank order. All ranks give the same size; `all` is
  /// size() times as large.
  [[nodiscard]] virtual std::unique_ptr<Pending> start_all_gather(std::span<const std::byte> mine,
                                                                  std::span<std::byte> all) = 0;
  /// `all`: size() blocks as large as `mine`. Rank r gets the sum over all ranks of their block r.
  [[nodiscard]] virtual std::unique_ptr<Pending> start_reduce_scatter(std::span<const std::int64_t> all,
                                                                      std::span<std::int64_t> mine) = 0;
  /// Sends each rank a block of its own. All ranks give the same `sizes`: rank r's blocks have sizes[r] bytes
  /// each. `blocks`: this rank's blocks, one per rank, in rank order. `received`: the block of each rank for
  /// this one, in rank order.
  [[nodiscard]] virtual std::unique_ptr<Pending> start_all_to_all(std::span<const std::byte> blocks,
                                                                  std::span<std::byte> received,
                                                                  std::span<const std::size_t> sizes) = 0;
};

/// Sends bytes of rank 0, of a size that only rank 0 knows, to every rank.
void broadcast_any(Collectives& world, std::vector<std::byte>& bytes);

}  // namespace polyhead::comm
