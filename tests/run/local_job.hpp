#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <latch>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "each_alone.hpp"
#include "memory_file.hpp"
#include "polyhead/comm/local.hpp"
#include "polyhead/data/reader.hpp"
#include "polyhead/plan/micro_batches.hpp"
#include "run/coordinator/coordinator.hpp"
#include "run/worker/first_lease.hpp"
#include "run/worker/worker.hpp"

namespace polyhead::run::testing {

using namespace std::chrono_literals;

constexpr std::int64_t kAnyNumber = std::numeric_limits<std::int64_t>::max();

inline data::Location place(std::uint64_t sample) {
  return {"/data/" + std::to_string(sample), sample, 1};
}

/// Samples without content: sample n's pixels are all n. Checks that each comes with its place.
class CountingReader final : public data::SampleReader {
 public:
  void read(std::int64_t first, std::span<const data::Location> locations, std::span<float> pixels,
            std::span<Reason> reasons) override {
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      const auto sample = static_cast<std::uint64_t>(first) + i;
      if (locations[i] != place(sample))
        throw Error(ExitCode::internal, fmt::format("sample {} came with the place of another", sample));
      std::fill_n(pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, static_cast<float>(sample));
    }
  }
};

/// A job of `samples` samples over ranks that are threads; rank 0 also coordinates, as in the program.
class LocalJob {
 public:
  LocalJob(int ranks, std::int64_t samples, std::int64_t batch)
      : ranks_(ranks),
        opened_(ranks),
        batches_(samples, batch),
        world(ranks),
        layout_(small_layout(samples, batch)),
        writer_(std::make_unique<MemoryFile>(disk), layout_, small_offsets()) {
    settings.hosts.assign(static_cast<std::size_t>(ranks), "host");
    settings.grid = {ranks, 1};
    settings.commit_interval = 1ms;
    settings.timeout = 10s;
    settings.locations = [](std::int64_t first, std::int64_t count) {
      std::vector<data::Location> locations;
      for (std::int64_t n = first; n < first + count; ++n) {
        locations.push_back(place(static_cast<std::uint64_t>(n)));
      }
      return locations;
    };
  }

  /// The coordinator's outcome; workers run `compute`.
  std::optional<Error> run(const Compute& compute) {
    return run_each([&](int) { return compute; });
  }

  /// The same, with each rank's own computation.
  std::optional<Error> run_each(const std::function<Compute(int rank)>& compute_of) {
    std::vector<std::jthread> workers;
    for (int rank = 0; rank < ranks_; ++rank)
      workers.emplace_back([this, rank, compute = compute_of(rank)] { work_as(rank, compute); });
    return coordinate();
  }

  std::optional<Error> coordinate() {
    const auto up = world.channel(0, 0);
    const auto down = world.channel(0, 1);
    if (settings.opened) opened_.wait();
    try {
      const plan::LeaseSchedule schedule(plan::missing_in(ledger()), ranks_, 1, kAnyNumber, lease_sizes);
      Coordinator(*up, *down, schedule, writer_, batches_, settings).run();
      return std::nullopt;
    } catch (const Error& error) {
      return error;
    }
  }

  void work_as(int rank, const Compute& compute) {
    const auto up = world.channel(rank, 0);
    const auto down = world.channel(rank, 1);
    data::Loader::Readers readers;
    for (int i = 0; i < 2; ++i) readers.push_back(std::make_unique<CountingReader>());
    data::Loader loader(std::move(readers), {batches_.samples(), {1, 1}}, batches_.size(), 2);
    GroupMembership place;
    if (settings.opened) place.first_lease = open_as(rank, loader);
    try {
      EachAlone alone(compute);
      std::optional<store::PageWriter> pages;
      if (own_file) pages.emplace(own_file(), layout_, small_offsets());
      work(*up, *down, loader, alone, place, {settings.timeout}, {pages ? &*pages : nullptr, 1ms});
      if (pages) own_bytes += pages->bytes();
    } catch (const Error&) {
      ++failed_workers;
    }
  }

  /// Gets the rank's first lease as the program does, before the coordinator starts.
  plan::Lease open_as(int rank, data::Loader& loader) {
    const FirstLease first_lease{
        settings.grid,     batches_, settings.all_read, settings.timeout, plan::missing_in(ledger()),
        settings.locations};
    const plan::Lease lease = hand_out_first_lease(*world.channel(rank, 1), rank, first_lease, &loader);
    opened_.count_down();
    return lease;
  }

  [[nodiscard]] std::int32_t prediction(std::int64_t sample) const {
    std::int32_t value = 0;
    std::memcpy(&value, disk.bytes.data() + small_offsets().of("/fused/prediction") + sample * 4, 4);
    return value;
  }
  /// Of class 1.
  [[nodiscard]] float fused_score(std::int64_t sample) const {
    float value = 0;
    std::memcpy(&value, disk.bytes.data() + sample * 8 + 4, 4);
    return value;
  }
  [[nodiscard]] std::vector<std::uint8_t> ledger() const {
    std::vector<std::uint8_t> ledger(static_cast<std::size_t>(batches_.count()));
    for (std::size_t b = 0; b < ledger.size() && small_offsets().ledger + b < disk.bytes.size(); ++b)
      ledger[b] = static_cast<std::uint8_t>(disk.bytes[small_offsets().ledger + b]);
    return ledger;
  }
  /// As if earlier runs had finished these.
  void finish_earlier(const std::vector<std::uint8_t>& ledger) {
    MemoryFile(disk).write(small_offsets().ledger, std::as_bytes(std::span(ledger)));
    writer_ = {std::make_unique<MemoryFile>(disk), layout_, small_offsets(), {ledger, 0, 0}};
    for (std::size_t b = 0; b < ledger.size(); ++b) {
      if (ledger[b] == 1)
        settings.earlier.finished += batches_.samples_of(static_cast<std::int64_t>(b)).count;
    }
  }
  [[nodiscard]] std::int64_t ledger_sum() const {
    std::int64_t sum = 0;
    for (std::int64_t b = 0; b < batches_.count(); ++b) {
      const std::uint64_t at = small_offsets().ledger + static_cast<std::uint64_t>(b);
      if (at < disk.bytes.size()) sum += static_cast<std::int64_t>(disk.bytes[at]);
    }
    return sum;
  }

  Disk disk;
  Coordinator::Settings settings;
  plan::LeaseSchedule::Sizes lease_sizes;                  ///< instead of those that follow the ranks' speeds
  std::function<std::unique_ptr<store::File>()> own_file;  ///< for each rank's own pages, where set
  std::atomic<std::uint64_t> own_bytes = 0;                ///< that the ranks wrote
  std::atomic<int> failed_workers = 0;

 private:
  int ranks_;
  std::latch opened_;
  plan::MicroBatches batches_;

 public:
  comm::LocalWorld world;

 private:
  store::Layout layout_;
  store::Writer writer_;
};

}  // namespace polyhead::run::testing
