/// A group that shares the heads, on NCCL, here its double: what it asks of NCCL, and when.

#include <algorithm>
#include <map>
#include <mutex>

#include <gmock/gmock.h>

#include "../comm/nccl_double/ranks.hpp"
#include "run/worker/group_pipeline.hpp"

namespace polyhead::run {
namespace {

using namespace std::chrono_literals;

constexpr int kRanks = 2;
constexpr std::int64_t kBatch = 4;
constexpr std::int64_t kBatches = 8;
constexpr std::int64_t kFeatures = 16;
constexpr std::int64_t kClasses = 2;

/// Features are the sample's pixel times 1, 2, 3, ...; head k gives {f0 * (k + 1), f1 - k}.
class FakeModel : public model::Model {
 public:
  explicit FakeModel(plan::HeadRange heads) : heads_(heads) {}
  void features(std::span<const float> pixels, std::span<float> features) override {
    for (std::size_t i = 0; i < features.size(); ++i) {
      features[i] = pixels[3 * (i / kFeatures)] * static_cast<float>(i % kFeatures + 1);
    }
  }
  void features(std::span<const std::uint8_t> /*bytes*/, std::span<float> /*features*/) override {
    FAIL() << "the batches hold pixels";
  }
  void scores(std::span<const float> features, std::span<float> scores) override {
    for (std::int64_t i = 0; i < heads_.count * kBatch; ++i) {
      const std::int64_t number = heads_.first + i / kBatch;
      const auto head = static_cast<float>(number);
      const float* sample = &features[static_cast<std::size_t>(i % kBatch * kFeatures)];
      scores[static_cast<std::size_t>(i * kClasses)] = sample[0] * (head + 1);
      scores[static_cast<std::size_t>(i * kClasses) + 1] = sample[1] - head;
    }
  }

 private:
  plan::HeadRange heads_;
};

/// A backbone that is still at work when what was under way at its beginning has ended. An exchange that
/// moves only while somebody waits for it would never end.
class SlowModel final : public FakeModel {
 public:
  SlowModel(plan::HeadRange heads, int rank) : FakeModel(heads), rank_(rank) {}
  using FakeModel::features;
  void features(std::span<const float> pixels, std::span<float> features) override {
    nccl_double::note({rank_, "features"});
    FakeModel::features(pixels, features);
    wait_for("ncclAllGather done", kConnecting + step_);
    wait_for("ncclReduceScatter done", kConnecting + std::max(0, step_ - 1));
    wait_for("ncclSend done", kConnecting + std::max(0, step_ - 1));
    ++step_;
  }
  void scores(std::span<const float> features, std::span<float> scores) override {
    nccl_double::note({rank_, "heads"});
    FakeModel::scores(features, scores);
  }

 private:
  static constexpr int kConnecting = 1;  // of each kind, before the first step

  void wait_for(const std::string& what, int times) const {
    const auto mine = [&](const nccl_double::Entry& entry) {
      return entry.rank == rank_ && entry.what == what;
    };
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (std::ranges::count_if(nccl_double::log(), mine) < times) {
      if (std::chrono::steady_clock::now() > deadline) FAIL() << what << " does not come, step " << step_;
      std::this_thread::sleep_for(1ms);
    }
  }

  int rank_;
  int step_ = 0;
};

config::Config config_with_two_heads() {
  config::Config config;
  config.heads.resize(2);
  config.heads[0].name = "a";
  config.heads[1].name = "b";
  config.heads[1].weight = 1.25;
  config.parallel.features = config::Features::exchange;
  config.output.head_scores = true;
  return config;
}

data::Batch make_batch(std::int64_t index) {
  data::Batch batch;
  batch.index = index;
  batch.first_sample = index * kBatch;
  batch.samples = kBatch;
  batch.pixels.resize(3 * kBatch);
  for (std::int64_t n = 0; n < kBatch; ++n) {
    batch.pixels[static_cast<std::size_t>(3 * n)] = static_cast<float>(batch.first_sample + n) / 8;
  }
  batch.reasons.assign(kBatch, Reason::none);
  return batch;
}

using RowsByBatch = std::map<std::int64_t, std::vector<std::byte>>;

/// What one rank of the group finishes of all micro-batches.
RowsByBatch compute(comm::Collectives& group, const std::vector<plan::HeadRange>& heads, model::Model& model,
                    bool exchanges_alone = false) {
  const config::Config config = config_with_two_heads();
  GroupPipeline::Job job{config, {kBatches * kBatch, kBatch}, heads, kClasses, kFeatures};
  job.exchanges_alone = exchanges_alone;
  GroupPipeline pipeline(model, group, job);
  pipeline.try_exchange();
  RowsByBatch rows;
  const Deliver deliver = [&](const store::Rows& done) { rows[done.batch] = done.to_wire(); };
  for (std::int64_t first = 0; first < kBatches; first += group.size()) {
    std::vector<data::Batch> read;
    read.push_back(make_batch(first + group.rank()));
    pipeline.step({first, group.size()}, read, deliver);
  }
  pipeline.drain(deliver);
  return rows;
}

RowsByBatch compute_alone() {
  comm::LocalWorld world(1);
  FakeModel model({0, 2});
  return compute(*world.collectives(0), {{0, 2}}, model);
}

class NcclGroup : public comm::NcclRanks {
 protected:
  /// The rows of both ranks, each with one of the two heads.
  RowsByBatch compute_together() {
    std::mutex mutex;
    RowsByBatch all;
    run(kRanks, [&](comm::Collectives& nccl) {
      const plan::HeadRange heads{nccl.rank(), 1};
      SlowModel model(heads, nccl.rank());
      RowsByBatch rows = compute(nccl, {{0, 1}, {1, 1}}, model);
      const std::lock_guard lock(mutex);
      all.merge(rows);
    });
    return all;
  }
};

TEST_F(NcclGroup, GivesTheBytesOfOneRank) {
  EXPECT_EQ(compute_together(), compute_alone());
  EXPECT_THAT(nccl_double::breaches(), ::testing::IsEmpty());
  EXPECT_EQ(nccl_double::handles_left(), 0U);
}

/// So one GPU can try it.
TEST_F(NcclGroup, OfOneRankExchangesWithItself) {
  RowsByBatch rows;
  run(1, [&](comm::Collectives& nccl) {
    FakeModel model({0, 2});
    rows = compute(nccl, {{0, 2}}, model, true);
  });
  EXPECT_EQ(rows, compute_alone());
  const std::vector<std::string> calls = calls_of(0);
  EXPECT_EQ(std::ranges::count(calls, "ncclAllGather"), 1 + 2 + kBatches);  // to connect, to try, the steps
  EXPECT_EQ(std::ranges::count(calls, "ncclReduceScatter"), 1 + 2 + kBatches);
  EXPECT_THAT(nccl_double::breaches(), ::testing::IsEmpty());
}

/// Nobody waits for NCCL's memory or connections in the middle of the work.
TEST_F(NcclGroup, TriesTheExchangeBeforeTheFirstStep) {
  compute_together();
  for (int rank = 0; rank < kRanks; ++rank) {
    const std::vector<std::string> calls = calls_of(rank);
    const std::vector<std::string> before(calls.begin(), std::ranges::find(calls, "features"));
    for (const char* call : {"ncclAllGather", "ncclReduceScatter"})
      EXPECT_EQ(std::ranges::count(before, call), 1 + 2) << call << " on rank " << rank;
  }
}

/// Each exchange is started as soon as it can be, and has a backbone's time to travel.
TEST_F(NcclGroup, ExchangesWhileItComputes) {
  compute_together();
  const std::vector<std::string> begin{"features", "ncclAllGather"};
  const std::vector<std::string> fuse{"heads",    "heads",    "ncclReduceScatter", "ncclSend",
                                      "ncclRecv", "ncclSend", "ncclRecv"};
  std::vector<std::string> expected = begin;
  const auto add = [&](const std::vector<std::string>& part) {
    expected.insert(expected.end(), part.begin(), part.end());
  };
  for (std::int64_t step = 1; step < kBatches / kRanks; ++step) {
    add(begin);  // this step
    add(fuse);   // the one before
  }
  add(fuse);
  for (int rank = 0; rank < kRanks; ++rank) {
    std::vector<std::string> calls = calls_of(rank);
    std::erase_if(calls, [](const std::string& what) { return what.ends_with(" done"); });
    calls.erase(calls.begin(), std::ranges::find(calls, begin.front()));  // what connects and tries
    calls.erase(std::ranges::find(calls, std::string("ncclCommFinalize")), calls.end());
    EXPECT_EQ(calls, expected) << rank;
  }
}

}  // namespace
}  // namespace polyhead::run
