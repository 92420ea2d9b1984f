#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "head_of.hpp"
#include "memory_file.hpp"
#include "polyhead/comm/local.hpp"
#include "polyhead/store/feature_cache.hpp"
#include "run/coordinator/coordinator.hpp"
#include "run/worker/first_lease.hpp"
#include "run/worker/group_pipeline.hpp"
#include "run/worker/worker.hpp"

/// Head groups in one process: the real coordinator, workers and pipelines over ranks that are threads, with
/// a model whose every number is known.
namespace polyhead::run::testing {

using namespace std::chrono_literals;

constexpr std::int64_t kBatch = 4;
constexpr std::int64_t kFeatures = 16;
constexpr std::int64_t kClasses = 2;

/// What ranks do, in the order in which one of them does it.
class Trace {
 public:
  void add(std::string what) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(what));
  }
  [[nodiscard]] std::vector<std::string> events() const { return events_; }

 private:
  std::mutex mutex_;
  std::vector<std::string> events_;
};

/// Features are the sample's pixel times 1, 2, 3, ...; head k gives {f0 * (k + 1), f1 - k}.
class FakeModel final : public model::Model {
 public:
  FakeModel(plan::HeadRange heads, Trace* trace, std::function<void()> pause)
      : heads_(heads), trace_(trace), pause_(std::move(pause)) {}
  void features(std::span<const float> pixels, std::span<float> features) override {
    if (trace_ != nullptr) trace_->add("features");
    pause_();
    for (std::int64_t n = 0; n < kBatch; ++n) {
      for (std::int64_t f = 0; f < kFeatures; ++f) {
        features[static_cast<std::size_t>(n * kFeatures + f)] =
            pixels[static_cast<std::size_t>(3 * n)] * static_cast<float>(f + 1);
      }
    }
  }
  void features(std::span<const std::uint8_t> /*bytes*/, std::span<float> /*features*/) override {
    FAIL() << "the loader gives pixels";
  }
  void scores(std::span<const float> features, std::span<float> scores) override {
    if (trace_ != nullptr) trace_->add("heads");
    for (std::int64_t k = 0; k < heads_.count; ++k) {
      for (std::int64_t n = 0; n < kBatch; ++n) {
        const auto at = static_cast<std::size_t>((k * kBatch + n) * kClasses);
        const auto head = static_cast<float>(heads_.first + k);
        scores[at] = features[static_cast<std::size_t>(n * kFeatures)] * (head + 1);
        scores[at + 1] = features[static_cast<std::size_t>(n * kFeatures) + 1] - head;
      }
    }
  }

 private:
  plan::HeadRange heads_;
  Trace* trace_;
  std::function<void()> pause_;
};

/// Sample n's pixels are all n / 8; every 11th cannot be read, and every 13th gives NaN.
class NumberReader final : public data::SampleReader {
 public:
  void read(std::int64_t first, std::span<const data::Location> /*locations*/, std::span<float> pixels,
            std::span<Reason> reasons) override {
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      const std::int64_t sample = first + static_cast<std::int64_t>(i);
      if (sample % 11 == 10) {
        reasons[i] = Reason::corrupt;
        continue;
      }
      const float value = sample % 13 == 12 ? std::nanf("") : static_cast<float>(sample) / 8;
      std::fill_n(pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, value);
    }
  }
};

/// Passes on what it is told and notes it.
class TracedCollectives final : public comm::Collectives {
 public:
  TracedCollectives(std::unique_ptr<comm::Collectives> inner, Trace* trace)
      : inner_(std::move(inner)), trace_(trace) {}
  [[nodiscard]] int rank() const override { return inner_->rank(); }
  [[nodiscard]] int size() const override { return inner_->size(); }
  void broadcast(std::span<std::byte> bytes, int root) override { inner_->broadcast(bytes, root); }
  void all_reduce(std::span<std::int64_t> values) override { inner_->all_reduce(values); }
  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> bytes) override {
    return inner_->all_gather(bytes);
  }
  void barrier() override { inner_->barrier(); }
  std::unique_ptr<comm::Pending> start_all_gather(std::span<const std::byte> mine,
                                                  std::span<std::byte> all) override {
    return traced("gather", inner_->start_all_gather(mine, all));
  }
  std::unique_ptr<comm::Pending> start_reduce_scatter(std::span<const std::int64_t> all,
                                                      std::span<std::int64_t> mine) override {
    return traced("reduce", inner_->start_reduce_scatter(all, mine));
  }
  std::unique_ptr<comm::Pending> start_all_to_all(std::span<const std::byte> blocks,
                                                  std::span<std::byte> received,
                                                  std::span<const std::size_t> sizes) override {
    return traced("send", inner_->start_all_to_all(blocks, received, sizes));
  }

 private:
  class TracedPending final : public comm::Pending {
   public:
    TracedPending(std::string name, std::unique_ptr<comm::Pending> inner, Trace* trace)
        : name_(std::move(name)), inner_(std::move(inner)), trace_(trace) {}
    void wait() override {
      inner_->wait();
      if (trace_ != nullptr) trace_->add(fmt::format("have {}", name_));
    }

   private:
    std::string name_;
    std::unique_ptr<comm::Pending> inner_;
    Trace* trace_;
  };
  std::unique_ptr<comm::Pending> traced(const std::string& name, std::unique_ptr<comm::Pending> inner) {
    if (trace_ != nullptr) trace_->add(fmt::format("start {}", name));
    return std::make_unique<TracedPending>(name, std::move(inner), trace_);
  }
  std::unique_ptr<comm::Collectives> inner_;
  Trace* trace_;
};

struct Shape {
  plan::Grid grid;
  int ranks = 1;
  std::int64_t samples = 0;
  std::int64_t heads = 1;
  config::Features features = config::Features::exchange;
};

inline config::Config config_of(const Shape& shape) {
  config::Config config;
  for (std::int64_t k = 0; k < shape.heads; ++k) {
    config.heads.push_back(
        polyhead::testing::head_of(fmt::format("h{}", k), {}, 1.0 + 0.25 * static_cast<double>(k % 3)));
  }
  config.parallel.features = shape.features;
  config.output.head_scores = true;
  return config;
}

inline store::Layout layout_of(const config::Config& config, std::int64_t samples) {
  store::Layout layout;
  layout.samples = samples;
  layout.classes = kClasses;
  for (const config::Head& head : config.heads) {
    layout.heads.push_back(head.name);
    layout.head_weights.push_back(head.weight);
  }
  layout.batch = kBatch;
  layout.head_scores = true;
  return layout;
}

/// Results of group jobs are small, and compared often.
constexpr std::uint64_t kApart = 1U << 16U;

inline store::Offsets offsets_of() {
  store::Offsets offsets = small_offsets(kApart);
  offsets.of("/heads/scores") = 9 * kApart;
  return offsets;
}

class GroupJob {
 public:
  explicit GroupJob(const Shape& shape)
      : shape_(shape),
        config_(config_of(shape)),
        batches_(shape.samples, kBatch),
        writer_(std::make_unique<MemoryFile>(disk), layout_of(config_, shape.samples), offsets_of()),
        have_opened_(shape.ranks) {
    disk.bytes.resize(10 * kApart);
  }

  /// All bytes of the result.
  std::vector<std::byte> run(plan::LeaseSchedule schedule) {
    comm::LocalWorld world(shape_.ranks);
    std::vector<std::unique_ptr<comm::LocalWorld>> groups;
    for (int g = 0; g < shape_.grid.data; ++g) {
      groups.push_back(std::make_unique<comm::LocalWorld>(shape_.grid.heads));
    }
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < shape_.ranks; ++rank) {
      threads.emplace_back([&, rank] { work_as(rank, world, groups); });
    }
    if (opened) have_opened_.wait();
    Coordinator::Settings settings;
    settings.opened = opened;
    settings.commit_interval = 1ms;
    settings.timeout = 10s;
    settings.asked = asked;
    settings.progress = progress;
    settings.max_bad = shape_.samples;
    settings.hosts.assign(static_cast<std::size_t>(shape_.ranks), "host");
    settings.grid = shape_.grid;
    settings.all_read = shape_.features == config::Features::local;
    settings.cache = cache;
    const auto up = world.channel(0, 0);
    const auto down = world.channel(0, 1);
    Coordinator coordinator(*up, *down, std::move(schedule), writer_, batches_, settings);
    coordinator.run();
    stopped_by = coordinator.stopped_by();
    threads.clear();
    return disk.bytes;
  }

  /// Micro-batches that the ledger calls done.
  [[nodiscard]] std::vector<std::int64_t> done() const {
    std::vector<std::int64_t> done;
    for (std::int64_t b = 0; b < batches_.count(); ++b) {
      if (disk.bytes[offsets_of().ledger + static_cast<std::uint64_t>(b)] == std::byte{1}) done.push_back(b);
    }
    return done;
  }

  bool opened = false;  ///< the first leases are handed out before the coordinator starts
  /// What the ranks do before the features of each micro-batch.
  std::function<void()> pause = [] {};
  std::function<StopRequest()> asked = [] { return StopRequest{}; };  ///< of the coordinator
  std::function<StopRequest(int rank)> rank_asked = [](int) { return StopRequest{}; };
  std::function<void(std::int64_t)> progress = [](std::int64_t) {};
  std::string stopped_by;
  store::FeatureCache* cache = nullptr;
  std::atomic<int> computed = 0;  ///< micro-batches whose features the backbone gave, counted by their owners
  Trace trace;                    ///< of rank 0
  Disk disk;

 private:
  plan::Lease open_as(int rank, comm::Channel& down, bool all, data::Loader* loader) {
    const auto nowhere = [](std::int64_t, std::int64_t) { return std::vector<data::Location>{}; };
    const FirstLease first_lease{shape_.grid, batches_, all, 10s, {{0, batches_.count()}}, nowhere};
    const plan::Lease lease = hand_out_first_lease(down, rank, first_lease, loader);
    have_opened_.count_down();
    return lease;
  }

  void work_as(int rank, comm::LocalWorld& world, std::vector<std::unique_ptr<comm::LocalWorld>>& groups) {
    const auto up = world.channel(rank, 0);
    const auto down = world.channel(rank, 1);
    const plan::Grid grid = shape_.grid;
    const LinkOptions link_options{.timeout = 10s, .asked = [this, rank] { return rank_asked(rank); }};
    if (!grid.works(rank)) {
      if (opened) open_as(rank, *down, false, nullptr);
      return idle_until_dismissed(*up, *down, link_options);
    }
    const std::vector<std::int64_t> costs(static_cast<std::size_t>(shape_.heads), 1);
    const auto heads = plan::split_heads(costs, grid.heads);
    Trace* const noted = rank == 0 ? &trace : nullptr;
    FakeModel model(heads.at(static_cast<std::size_t>(grid.member_of(rank))), noted, pause);
    TracedCollectives group(
        groups.at(static_cast<std::size_t>(grid.group_of(rank)))->collectives(grid.member_of(rank)), noted);
    GroupPipeline pipeline(model, group, {config_, batches_, heads, kClasses, kFeatures});
    pipeline.keep_features([&](const data::Batch& batch, std::span<const float> values) {
      ++computed;
      WireWriter writer;
      store::Features{batch.index, batch.reasons, {values.begin(), values.end()}}.put(writer);
      if (cache != nullptr) up->send(0, static_cast<int>(ToCoordinator::features), writer.bytes());
    });
    data::Loader::Readers readers;
    readers.push_back(std::make_unique<NumberReader>());
    data::Loader loader(std::move(readers), {shape_.samples, {1, 1}}, kBatch, 2);
    const bool all = shape_.features == config::Features::local;
    GroupMembership place{grid.heads, grid.member_of(rank), all};
    if (opened) place.first_lease = open_as(rank, *down, all, &loader);
    work(*up, *down, loader, pipeline, place, link_options);
  }

  Shape shape_;
  config::Config config_;
  plan::MicroBatches batches_;
  store::Writer writer_;
  std::latch have_opened_;
};

inline plan::LeaseSchedule guided(const Shape& shape) {
  return {(shape.samples + kBatch - 1) / kBatch, shape.grid.data, shape.grid.heads};
}

inline std::vector<std::byte> run(const Shape& shape) {
  return GroupJob(shape).run(guided(shape));
}

}  // namespace polyhead::run::testing
