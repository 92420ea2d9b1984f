#include "add_up.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace polyhead::run {

metrics::RunFigures add_up(comm::Collectives& world, const WorkerFigures& mine, double seconds,
                           std::int64_t samples, int threads, int workers) {
  // Microseconds, so that the sum is one of integers.
  const bool worked = mine.seconds_computing > 0;
  std::array<std::int64_t, 5> sums{std::llround(mine.seconds_waiting * 1e6),
                                   std::llround(mine.seconds_computing * 1e6),
                                   std::llround(mine.seconds_reading * 1e6), worked ? workers : 0, worked};
  world.all_reduce(sums);
  // Reading that was under way when the work began counts in full: in a very short job it may exceed the
  // total.
  const auto share = [&](std::int64_t microseconds, std::int64_t threads_in_all) {
    const double all = seconds * static_cast<double>(threads_in_all);
    return all > 0 ? std::min(1.0, static_cast<double>(microseconds) / 1e6 / all) : 0;
  };
  metrics::RunFigures figures;
  figures.seconds = seconds;
  figures.images_per_second = static_cast<double>(samples) / seconds;
  figures.ranks = world.size();
  figures.threads = threads;
  figures.waiting_share = share(sums[0], sums[4]);
  figures.computing_share = share(sums[1], sums[4]);
  figures.workers = workers;
  figures.reading_share = share(sums[2], sums[3]);
  return figures;
}

}  // namespace polyhead::run
