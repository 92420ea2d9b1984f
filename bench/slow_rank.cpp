// One slow rank in a job of four: what does it cost? The program's coordinator and workers, over ranks that
// are threads, with computing replaced by sleeping: bench_slow_rank [MILLISECONDS [FACTOR]] MILLISECONDS: for
// one micro-batch, 20 when missing; the last rank takes FACTOR times as long, 4 when missing. Prints a table;
// the last line is a JSON object.

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "run/local_job.hpp"

namespace {

using namespace polyhead;

constexpr int kRanks = 4;

struct Figures {
  std::int64_t batches = 0;
  double seconds = 0;
  double ideal = 0;  ///< if work could be divided at will, and nothing else took time
  std::vector<std::int64_t> by_rank = std::vector<std::int64_t>(kRanks);

  [[nodiscard]] double ratio() const { return seconds / ideal; }
};

Figures measure(std::int64_t batches, double seconds_each, double factor) {
  constexpr std::int64_t kSamples = 4;  // in a micro-batch
  Figures figures;
  figures.batches = batches;
  figures.ideal = static_cast<double>(batches) * seconds_each / (kRanks - 1 + 1 / factor);
  run::testing::LocalJob job(kRanks, batches * kSamples, kSamples);
  const auto compute_of = [&](int rank) -> run::testing::Compute {
    const std::chrono::duration<double> time(rank == kRanks - 1 ? factor * seconds_each : seconds_each);
    return [time, &done = figures.by_rank[static_cast<std::size_t>(rank)]](const data::Batch& batch) {
      ++done;
      std::this_thread::sleep_for(time);
      return run::testing::numbered_rows(batch.index, batch.first_sample, batch.samples);
    };
  };
  const auto start = std::chrono::steady_clock::now();
  if (const auto error = job.run_each(compute_of)) throw *error;
  figures.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (job.ledger_sum() != batches) throw Error(ExitCode::internal, "the ledger is not full");
  return figures;
}

void run_all(double seconds_each, double factor) {
  fmt::print("{} ranks, {} ms a micro-batch, the last rank {} times as long\n", kRanks, 1000 * seconds_each,
             factor);
  fmt::print("{:>13} {:>10} {:>10} {:>7}   {}\n", "micro-batches", "seconds", "ideal", "ratio",
             "micro-batches by rank");
  std::vector<std::string> json;
  for (const std::int64_t batches : {64, 128, 512}) {
    const Figures figures = measure(batches, seconds_each, factor);
    fmt::print("{:>13} {:>10.3f} {:>10.3f} {:>7.3f}   {}\n", batches, figures.seconds, figures.ideal,
               figures.ratio(), fmt::join(figures.by_rank, " "));
    json.push_back(fmt::format(
        R"("{}": {{"seconds": {:.4f}, "ideal": {:.4f}, "ratio": {:.4f}, "by_rank": [{}]}})", batches,
        figures.seconds, figures.ideal, figures.ratio(), fmt::join(figures.by_rank, ", ")));
  }
  fmt::print("{{{}}}\n", fmt::join(json, ", "));
}

}  // namespace

int main(int count, char** arguments) {
  try {
    run_all((count > 1 ? std::stod(arguments[1]) : 20) / 1000, count > 2 ? std::stod(arguments[2]) : 4);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_slow_rank: {}\n", error.what());
    return 1;
  }
}
