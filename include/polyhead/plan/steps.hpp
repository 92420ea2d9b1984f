#pragma once

#include <cstdint>
#include <vector>

#include "polyhead/plan/lease.hpp"

namespace polyhead::plan {

/// Micro-batches that the H ranks of a group compute together: up to H consecutive ones, one per rank. Rank
/// number i of the group owns micro-batch first + i: it finishes its rows.
struct Step {
  std::int64_t first = 0;
  std::int64_t count = 0;
  friend bool operator==(const Step&, const Step&) = default;
};

/// Division of a lease into steps; only the last may be short.
class Steps {
 public:
  /// `heads`: H, ranks of the group.
  Steps(const Lease& lease, int heads) : lease_(lease), heads_(heads) {}
  [[nodiscard]] std::int64_t count() const { return (lease_.count + heads_ - 1) / heads_; }
  [[nodiscard]] Step operator[](std::int64_t index) const;

 private:
  Lease lease_;
  std::int64_t heads_;
};

/// Micro-batches of a lease that rank number `member` of a group of `heads` reads, ascending: its own one of
/// each step, or, with `all`, every one.
std::vector<std::int64_t> reads(const Lease& lease, int heads, int member, bool all);

}  // namespace polyhead::plan
