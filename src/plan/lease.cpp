#include "polyhead/plan/lease.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace polyhead::plan {
namespace {

std::int64_t units_in(std::int64_t micro_batches, std::int64_t unit) {
  return (micro_batches + unit - 1) / unit;
}

}  // namespace

std::vector<Lease> missing_in(std::span<const std::uint8_t> ledger) {
  std::vector<Lease> runs;
  for (std::size_t i = 0; i < ledger.size(); ++i) {
    if (ledger[i] == 1) continue;
    const auto batch = static_cast<std::int64_t>(i);
    if (runs.empty() || runs.back().first + runs.back().count != batch) runs.push_back({batch, 0});
    ++runs.back().count;
  }
  return runs;
}

double LeaseSchedule::Taker::busy_for(double now) const {
  return std::max(0.0, static_cast<double>(under_way()) / speed.at(now) - speed.silence(now));
}

LeaseSchedule::LeaseSchedule(std::vector<Lease> work, std::int64_t takers, std::int64_t unit,
                             std::int64_t most, Sizes sizes)
    : work_(std::move(work)),
      unit_(unit),
      most_(most),
      sizes_(std::move(sizes)),
      takers_(static_cast<std::size_t>(takers), Taker{Speed(unit)}) {
  std::erase_if(work_, [](const Lease& run) { return run.count == 0; });
  std::ranges::reverse(work_);
  for (const Lease& run : work_) {
    left_ += run.count;
    units_left_ += units_in(run.count, unit_);
  }
}

std::vector<Lease> LeaseSchedule::open(double now) {
  std::vector<Lease> leases;
  leases.reserve(takers_.size());
  for (Taker& taker : takers_) leases.push_back(left() > 0 ? grant(taker, unit_, now) : Lease{});
  return leases;
}

std::optional<Lease> LeaseSchedule::next(int taker, double now) {
  Taker& self = takers_.at(static_cast<std::size_t>(taker));
  const double together = speed_together(now);
  if (self.sent_away || left() == 0 || others_are_sooner(self, together, now)) {
    self.sent_away = true;
    return std::nullopt;
  }
  const std::int64_t wanted = sizes_ ? sizes_() : std::min(share_of(self, together, now), self.finished);
  return grant(self, in_units(std::min(wanted, most_)), now);
}

Lease LeaseSchedule::grant(Taker& taker, std::int64_t most, double now) {
  const Lease lease = cut(most);
  if (taker.under_way() == 0) taker.speed.start(now);
  taker.granted += lease.count;
  return lease;
}

Lease LeaseSchedule::cut(std::int64_t most) {
  Lease& run = work_.back();
  const Lease lease{run.first, std::min(run.count, most)};
  left_ -= lease.count;
  units_left_ -= units_in(lease.count, unit_);
  run.first += lease.count;
  run.count -= lease.count;
  if (run.count == 0) work_.pop_back();
  return lease;
}

void LeaseSchedule::finished(int taker, std::int64_t micro_batches, double now) {
  Taker& self = takers_.at(static_cast<std::size_t>(taker));
  self.finished += micro_batches;
  self.speed.add(micro_batches, now);
}

double LeaseSchedule::speed_together(double now) const {
  double sum = 0;
  int known = 0;
  int all = 0;
  for (const Taker& taker : takers_) {
    if (taker.sent_away) continue;
    ++all;
    if (!taker.speed.known()) continue;
    ++known;
    sum += taker.speed.at(now);
  }
  return known > 0 ? sum * all / known : 0;
}

bool LeaseSchedule::others_are_sooner(const Taker& self, double together, double now) const {
  if (sizes_ || !self.speed.known()) return false;
  const auto unit = static_cast<double>(unit_);
  const double end = self.busy_for(now) + unit / self.speed.at(now);
  if (end * together < static_cast<double>(left())) return false;  // skips the loop while much is left
  double units = 0;  // units that the others can finish until then
  for (const Taker& other : takers_) {
    if (&other == &self || other.sent_away || other.under_way() <= 0 || !other.speed.known()) continue;
    units += std::floor(std::max(0.0, end - other.busy_for(now)) * other.speed.at(now) / unit);
    if (units >= static_cast<double>(units_left_)) return true;
  }
  return false;
}

std::int64_t LeaseSchedule::share_of(const Taker& self, double together, double now) const {
  if (!self.speed.known()) return unit_;
  return static_cast<std::int64_t>(static_cast<double>(left()) * self.speed.at(now) / together / 2);
}

std::int64_t LeaseSchedule::in_units(std::int64_t micro_batches) const {
  return std::max<std::int64_t>(1, micro_batches / unit_) * unit_;
}

}  // namespace polyhead::plan
