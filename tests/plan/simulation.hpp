#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <queue>
#include <utility>
#include <vector>

#include "polyhead/plan/lease.hpp"

namespace polyhead::plan::testing {

/// Micro-batches a second that a taker computes in a step that begins at `time`.
using Rate = std::function<double(int taker, double time)>;

inline Rate constant(std::vector<double> speeds) {
  return [speeds = std::move(speeds)](int taker, double) { return speeds[static_cast<std::size_t>(taker)]; };
}

struct Outcome {
  double seconds = 0;              ///< until the last micro-batch is finished
  std::vector<Lease> leases;       ///< in the order in which they were granted
  std::vector<std::int64_t> done;  ///< micro-batches of each taker
};

/// A job on a virtual clock, by the protocol of run/worker: a taker works in steps of `unit` micro-batches,
/// asks for its next lease when it begins the last step of the present one, and reports each step at its end.
/// A step that is not full takes as long as a full one.
class Simulation {
 public:
  Simulation(LeaseSchedule schedule, int takers, std::int64_t unit, Rate rate)
      : schedule_(std::move(schedule)),
        unit_(unit),
        rate_(std::move(rate)),
        workers_(static_cast<std::size_t>(takers)) {
    outcome_.done.resize(workers_.size());
  }

  /// Every taker has its first lease from the start.
  Simulation&& open() && {
    const std::vector<Lease> leases = schedule_.open(0);
    for (std::size_t taker = 0; taker < leases.size(); ++taker) {
      if (leases[taker].count > 0) take(static_cast<int>(taker), leases[taker]);
    }
    return std::move(*this);
  }

  Outcome run() {
    for (int taker = 0; taker < static_cast<int>(workers_.size()); ++taker) {
      if (worker(taker).leases.empty()) ask(taker, 0);
      begin_step(taker, 0);
    }
    while (!steps_.empty()) {
      const auto [time, taker] = steps_.top();
      steps_.pop();
      end_step(taker, time);
      begin_step(taker, time);
    }
    return std::move(outcome_);
  }

 private:
  struct Worker {
    std::queue<std::int64_t> leases;  // sizes
    std::int64_t left = 0;            // of the present lease
    std::int64_t step = 0;            // under way
  };

  Worker& worker(int taker) { return workers_[static_cast<std::size_t>(taker)]; }

  void ask(int taker, double time) {
    if (const auto lease = schedule_.next(taker, time)) take(taker, *lease);
  }

  void take(int taker, const Lease& lease) {
    outcome_.leases.push_back(lease);
    worker(taker).leases.push(lease.count);
  }

  void begin_step(int taker, double time) {
    Worker& self = worker(taker);
    if (self.left == 0) {
      if (self.leases.empty()) return;
      self.left = self.leases.front();
      self.leases.pop();
    }
    self.step = std::min(unit_, self.left);
    self.left -= self.step;
    if (self.left == 0) ask(taker, time);
    steps_.emplace(time + static_cast<double>(unit_) / rate_(taker, time), taker);
  }

  void end_step(int taker, double time) {
    const std::int64_t step = worker(taker).step;
    schedule_.finished(taker, step, time);
    outcome_.done[static_cast<std::size_t>(taker)] += step;
    outcome_.seconds = std::max(outcome_.seconds, time);
  }

  using Step = std::pair<double, int>;  // when it ends, whose it is
  LeaseSchedule schedule_;
  std::int64_t unit_;
  Rate rate_;
  std::vector<Worker> workers_;
  std::priority_queue<Step, std::vector<Step>, std::greater<>> steps_;
  Outcome outcome_;
};

/// The least time in which takers of these speeds can compute so many micro-batches in whole steps: no
/// schedule is faster.
inline double ideal_seconds(std::int64_t micro_batches, std::int64_t unit,
                            const std::vector<double>& speeds) {
  const std::int64_t wanted_steps = (micro_batches + unit - 1) / unit;
  const auto wanted = static_cast<double>(wanted_steps);
  const double sum = std::accumulate(speeds.begin(), speeds.end(), 0.0) / static_cast<double>(unit);
  double least = (wanted + static_cast<double>(speeds.size())) / sum;  // enough for any rounding
  double too_little = 0;
  for (int i = 0; i < 60; ++i) {
    const double middle = (least + too_little) / 2;
    double steps = 0;
    for (const double speed : speeds) steps += std::floor(middle * speed / static_cast<double>(unit));
    (steps >= wanted ? least : too_little) = middle;
  }
  return least;
}

}  // namespace polyhead::plan::testing
