#pragma once

#include <cstdint>
#include <vector>

#include "polyhead/plan/lease.hpp"

namespace polyhead::plan {

/// What the H ranks of a group compute together at a time: up to H consecutive micro-batches, one for each
/// rank. Rank number i of the group owns micro-batch first + i: its rows are finished there.
struct Step {
  std::int64_t first = 0;
  std::int64_t count = 0;
  friend bool operator==(const Step&, const Step&) = default;
};

/// The cut of a lease into steps; only the last may be short.
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

/// The micro-batches of a lease that rank number `member` of a group of `heads` reads, ascending: the one
/// that it owns of each step, or, with `all`, every one.
std::vector<std::int64_t> reads(const Lease& lease, int heads, int member, bool all);

}  // namespace polyhead::plan
