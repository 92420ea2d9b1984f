#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace polyhead::plan {

/// Consecutive micro-batches that one rank computes next.
struct Lease {
  std::int64_t first = 0;
  std::int64_t count = 0;
  friend bool operator==(const Lease&, const Lease&) = default;
};

/// Hands out the micro-batches of a job once each, in order: large leases first (few requests, long reads),
/// single micro-batches at the end, so that no rank waits for the slowest. Guided self-scheduling:
/// Polychronopoulos and Kuck, IEEE Trans. Computers C-36 (1987).
class LeaseSchedule {
 public:
  /// `takers`: how many groups of ranks share the work, at least 1. `unit`: micro-batches that the ranks of a
  /// group compute at a time; a lease is a multiple of it, but for the last. `most`: micro-batches in one
  /// lease, at least `unit`; a lease carries what it takes to find its samples.
  LeaseSchedule(std::int64_t micro_batches, std::int64_t takers, std::int64_t unit = 1,
                std::int64_t most = std::numeric_limits<std::int64_t>::max())
      : total_(micro_batches), takers_(takers), unit_(unit), most_(most) {}

  /// Half of an equal share of what is left, at least a unit, at most `most`; empty when all is handed out.
  std::optional<Lease> next();
  [[nodiscard]] std::int64_t left() const { return total_ - handed_out_; }

 private:
  std::int64_t total_;
  std::int64_t takers_;
  std::int64_t unit_;
  std::int64_t most_;
  std::int64_t handed_out_ = 0;
};

}  // namespace polyhead::plan
