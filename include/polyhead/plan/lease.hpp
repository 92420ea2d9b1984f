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

/// Missing micro-batches, from a ledger with one byte per micro-batch (1: done): runs of neighbours,
/// ascending.
std::vector<Lease> missing_in(std::span<const std::uint8_t> ledger);

/// Hands out micro-batches once each, in order, to takers (data groups) that may differ in speed. Leases are
/// large first (few requests, long reads) and small at the end, so that the slowest taker delays nobody.
/// Guided self-scheduling (Polychronopoulos and Kuck, IEEE Trans. Computers C-36, 1987), with shares in
/// proportion to measured speed.
///
/// A taker asks for its next lease when it begins the last unit of the present one. So its first two leases
/// are granted before its speed is known; they are one unit each. The first may be handed out before the work
/// begins (`open`). A later lease is half of the taker's share of the rest, at most as much as it has
/// finished so far. A taker receives no further lease once the others, at their speeds, would finish all
/// remaining work before it could finish one more unit.
///
/// No work is left over: a taker is sent away only while others have leases under way and therefore ask
/// again, and the last of them always receives the rest.
class LeaseSchedule {
 public:
  /// Gives each lease's size instead of the measured speeds; then no taker is sent away early.
  using Sizes = std::function<std::int64_t()>;

  /// `work`: runs of micro-batches, ascending and apart; a lease lies within one of them. `takers`: number of
  /// takers, at least 1. `unit`: every lease is a multiple of it, except for a run's last one; it is the
  /// number of micro-batches that a head group computes in one step. `most`: limit of the micro-batches in
  /// one lease, unless a unit is larger; a lease carries the locations of its samples.
  LeaseSchedule(std::vector<Lease> work, std::int64_t takers, std::int64_t unit = 1,
                std::int64_t most = std::numeric_limits<std::int64_t>::max(), Sizes sizes = {});
  /// All micro-batches of a job, as one run.
  LeaseSchedule(std::int64_t micro_batches, std::int64_t takers, std::int64_t unit = 1,
                std::int64_t most = std::numeric_limits<std::int64_t>::max(), Sizes sizes = {})
      : LeaseSchedule(std::vector<Lease>{{0, micro_batches}}, takers, unit, most, std::move(sizes)) {}

  /// First leases of all takers, in their order, one unit each; a count of 0 where nothing is left. They
  /// depend on work, takers and unit only, so they are the same on every rank. They replace the takers' first
  /// calls of `next`. The work begins at `now`.
  std::vector<Lease> open(double now);
  /// Next lease of `taker`, which asks at `now` (seconds, any origin). Empty when there is nothing more for
  /// it, now or later.
  std::optional<Lease> next(int taker, double now);
  /// Records that `taker` has finished `micro_batches` more.
  void finished(int taker, std::int64_t micro_batches, double now);
  /// Number of micro-batches not yet handed out.
  [[nodiscard]] std::int64_t left() const { return left_; }

 private:
  struct Taker {
    Speed speed;
    std::int64_t granted = 0;
    std::int64_t finished = 0;
    bool sent_away = false;

    [[nodiscard]] std::int64_t under_way() const { return granted - finished; }
    /// Seconds until the taker has finished all its work under way; its speed must be known.
    [[nodiscard]] double busy_for(double now) const;
  };

  /// Speed of all takers that still get leases; one of unknown speed counts as an average one. 0: no speed is
  /// known.
  [[nodiscard]] double speed_together(double now) const;
  [[nodiscard]] bool others_are_sooner(const Taker& self, double together, double now) const;
  [[nodiscard]] std::int64_t share_of(const Taker& self, double together, double now) const;
  [[nodiscard]] std::int64_t in_units(std::int64_t micro_batches) const;
  Lease grant(Taker& taker, std::int64_t most, double now);
  Lease cut(std::int64_t most);  // cuts a lease off the front of the rest

  std::vector<Lease> work_;  ///< remaining work, the next run at the end
  std::int64_t unit_;
  std::int64_t most_;
  Sizes sizes_;
  std::vector<Taker> takers_;
  std::int64_t left_ = 0;        ///< micro-batches
  std::int64_t units_left_ = 0;  ///< a run's last unit may be short
};

}  // namespace polyhead::plan
