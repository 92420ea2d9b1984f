#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "polyhead/plan/speed.hpp"

namespace polyhead::plan {

/// Consecutive micro-batches that one taker computes next.
struct Lease {
  std::int64_t first = 0;
  std::int64_t count = 0;
  friend bool operator==(const Lease&, const Lease&) = default;
};

/// The micro-batches that are missing, from a ledger with one byte a micro-batch (1: done): runs of
/// neighbours, ascending.
std::vector<Lease> missing_in(std::span<const std::uint8_t> ledger);

/// Hands out micro-batches once each, in order, to takers (data groups) that may differ in
/// speed: large leases first (few requests, long reads), small ones at the end, so that nobody waits for the
/// slowest. Guided self-scheduling (Polychronopoulos and Kuck, IEEE Trans. Computers C-36, 1987), with shares
/// in proportion to measured speed.
///
/// A taker asks for its next lease when it begins the last unit of the present one. So its first two leases
/// are granted unseen; they are one unit each. The first may be handed out before the work begins (`open`).
/// Later ones are half of its share of what is left, at most as much as it has finished so far. A taker gets
/// nothing more once the others, by their speeds, can finish all that is left before it could finish one unit
/// more: it would only keep them waiting.
///
/// That leaves nothing behind: a taker is sent away only for the sake of others that have leases under way
/// and therefore ask again, and the last of them always gets what is left.
class LeaseSchedule {
 public:
  /// Gives the size of each lease instead of the measured speeds; nobody is sent away early then.
  using Sizes = std::function<std::int64_t()>;

  /// `work`: runs of micro-batches, ascending and apart; a lease lies within one of them. `takers`: how many
  /// share the work, at least 1. `unit`: every lease is a multiple of it, the last one of a run excepted; the
  /// ranks of a head group compute so many micro-batches in one step. `most`: micro-batches in one lease,
  /// where a unit is not more; a lease carries what it takes to find its samples.
  LeaseSchedule(std::vector<Lease> work, std::int64_t takers, std::int64_t unit = 1,
                std::int64_t most = std::numeric_limits<std::int64_t>::max(), Sizes sizes = {});
  /// All of a job's micro-batches, as one run.
  LeaseSchedule(std::int64_t micro_batches, std::int64_t takers, std::int64_t unit = 1,
                std::int64_t most = std::numeric_limits<std::int64_t>::max(), Sizes sizes = {})
      : LeaseSchedule(std::vector<Lease>{{0, micro_batches}}, takers, unit, most, std::move(sizes)) {}

  /// The first leases of all takers, in their order, one unit each; a count of 0 where nothing is left. They
  /// depend on work, takers and unit only: what is handed out early is the same everywhere. Instead of the
  /// takers' first calls of `next`; the work begins at `now`.
  std::vector<Lease> open(double now);
  /// The next lease of `taker`, which asks at `now` (seconds, any origin). Empty when there is nothing more
  /// for it, now or later.
  std::optional<Lease> next(int taker, double now);
  /// `taker` has finished so many of its micro-batches.
  void finished(int taker, std::int64_t micro_batches, double now);
  /// Micro-batches not yet handed out.
  [[nodiscard]] std::int64_t left() const { return left_; }

 private:
  struct Taker {
    Speed speed;
    std::int64_t granted = 0;
    std::int64_t finished = 0;
    bool sent_away = false;

    [[nodiscard]] std::int64_t under_way() const { return granted - finished; }
    /// Seconds until all that is under way is finished; for a taker of known speed.
    [[nodiscard]] double busy_for(double now) const;
  };

  /// Of all that still get leases; one of unknown speed counts as an average one. 0: nothing is known.
  [[nodiscard]] double speed_together(double now) const;
  [[nodiscard]] bool others_are_sooner(const Taker& self, double together, double now) const;
  [[nodiscard]] std::int64_t share_of(const Taker& self, double together, double now) const;
  [[nodiscard]] std::int64_t in_units(std::int64_t micro_batches) const;
  Lease grant(Taker& taker, std::int64_t most, double now);
  Lease cut(std::int64_t most);  // off the front of what is left

  std::vector<Lease> work_;  ///< what is left of it, the next run at the end
  std::int64_t unit_;
  std::int64_t most_;
  Sizes sizes_;
  std::vector<Taker> takers_;
  std::int64_t left_ = 0;        ///< micro-batches
  std::int64_t units_left_ = 0;  ///< a run's last one may be short
};

}  // namespace polyhead::plan
