#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace polyhead::comm {

/// What all ranks do together. Each call must be made by every rank, in the same order, from one thread at a
/// time. Waits are bounded: a call that other ranks do not join in time throws Error(unavailable).
class Collectives {
 public:
  virtual ~Collectives() = default;
  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;

  /// The bytes of `root` to every rank; all give the same size.
  virtual void broadcast(std::span<std::byte> bytes, int root) = 0;
  /// Sums over all ranks, in place. Integers: the result does not depend on the order.
  virtual void all_reduce(std::span<std::int64_t> values) = 0;
  /// Each rank's bytes, of any size, to every rank, in rank order.
  virtual std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> bytes) = 0;
  virtual void barrier() = 0;
};

/// Bytes of rank 0, of a size that only it knows, to every rank.
void broadcast_any(Collectives& world, std::vector<std::byte>& bytes);

}  // namespace polyhead::comm
