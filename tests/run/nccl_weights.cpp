/// Weights over NCCL, here its double: every rank's GPU gets the backbone and its own heads, and nothing
/// else.

#include <cstring>
#include <tuple>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "../comm/nccl_double/ranks.hpp"
#include "head_of.hpp"
#include "polyhead/model/layout.hpp"
#include "run/setup/share_weights.hpp"

namespace polyhead::run {
namespace {

using namespace std::chrono_literals;
using nccl_double::FaultKind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kSurplus = 1;

config::Config three_heads() {
  config::Config config;
  for (const char* name : {"a", "b", "c"})
    config.heads.push_back(polyhead::testing::head_of(name, {{config::LayerKind::linear, 10}}));
  return config;
}

model::Weights numbered(const config::Config& config) {
  const model::Layout layout = model::make_layout(config);
  model::Weights all;
  all.parameters = layout.parameters;
  all.feature_width = layout.feature_width;
  all.classes = layout.classes;
  all.values.resize(static_cast<std::size_t>(layout.values));
  for (std::size_t i = 0; i < all.values.size(); ++i) all.values[i] = static_cast<float>(i % 9973);
  return all;
}

class NcclWeights : public comm::NcclRanks {
 protected:
  /// D groups of ranks with the heads of `ranges` each, and a surplus rank. `use` sees what each rank got.
  void share(int data, const std::vector<plan::HeadRange>& ranges,
             const std::function<void(int member, const model::Weights&)>& use,
             std::chrono::milliseconds timeout = 30s) {
    const auto members = static_cast<int>(ranges.size());
    const int working = data * members;
    comm::LocalWorld world(working + kSurplus, 4 * timeout);
    comm::LocalWorld workers(working, 4 * timeout);
    const config::Config config = three_heads();
    std::vector<std::jthread> ranks;
    for (int rank = 0; rank < working + kSurplus; ++rank) {
      ranks.emplace_back([&, rank] {
        const int member = rank < working ? rank % members : -1;
        model::Weights all;
        if (rank == 0) all = numbered(config);
        const auto collectives = world.collectives(rank);
        std::unique_ptr<comm::DeviceBroadcast> to_gpus;
        if (member >= 0) to_gpus = comm::make_device_broadcast(*workers.collectives(rank), rank, timeout);
        const model::Weights mine =
            share_weights_over_nccl(*collectives, "node", to_gpus.get(), rank, config, all, ranges, member);
        EXPECT_EQ(all.values.capacity(), 0U);
        use(member, mine);
      });
    }
  }

  void ends_with_a_failure(FaultKind kind, int call, const std::vector<plan::HeadRange>& ranges);

  /// Whether the GPU holds rank 0's values `from` and following at `at`.
  static bool holds(const model::Weights& mine, std::int64_t at, std::int64_t from, std::int64_t count) {
    static const model::Weights all = numbered(three_heads());
    return std::memcmp(mine.on_gpu.get() + at, &all.values[static_cast<std::size_t>(from)],
                       static_cast<std::size_t>(count) * sizeof(float)) == 0;
  }
};

/// How heads are divided among the ranks of a group, and the number of groups.
using Split = std::tuple<std::vector<plan::HeadRange>, int>;

class NcclSplits : public NcclWeights, public ::testing::WithParamInterface<Split> {};

TEST_P(NcclSplits, GoWhereTheyAreWanted) {
  const model::Layout layout = model::make_layout(three_heads());
  const auto& begin = layout.head_begin;
  const auto& [ranges, data] = GetParam();
  nccl_double::reset();
  share(data, ranges, [&, &split = ranges](int member, const model::Weights& mine) {
    EXPECT_EQ(mine.on_gpu == nullptr, member < 0);
    if (member < 0) return;
    const plan::HeadRange heads = split[static_cast<std::size_t>(member)];
    const std::int64_t from = begin[static_cast<std::size_t>(heads.first)];
    const std::int64_t count = begin[static_cast<std::size_t>(heads.first + heads.count)] - from;
    EXPECT_TRUE(holds(mine, 0, 0, begin[0])) << member;
    EXPECT_TRUE(holds(mine, begin[0], from, count)) << member;
    EXPECT_EQ(mine.parameters.back().offset + mine.parameters.back().elements() <= begin[0] + count, true);
    for (const model::Parameter& parameter : mine.parameters) EXPECT_EQ(parameter.offset % 64, 0);
  });
  EXPECT_THAT(nccl_double::breaches(), IsEmpty());
  EXPECT_EQ(nccl_double::handles_left(), 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Heads, NcclSplits,
    ::testing::Combine(::testing::Values(std::vector<plan::HeadRange>{{0, 3}},
                                         std::vector<plan::HeadRange>{{0, 2}, {2, 1}},
                                         std::vector<plan::HeadRange>{{0, 1}, {1, 2}, {3, 0}}),
                       ::testing::Values(1, 2)),
    [](const auto& split) {
      return fmt::format("{}_ranks_x_{}", std::get<0>(split.param).size(), std::get<1>(split.param));
    });

/// `call`: a collective of rank 1. 0 connects, 1 is the backbone's; with two members 2 is one of theirs.
void NcclWeights::ends_with_a_failure(FaultKind kind, int call, const std::vector<plan::HeadRange>& ranges) {
  nccl_double::reset();
  nccl_double::plant({kind, 1, call});
  std::atomic<int> ended{0};
  const config::Config config = three_heads();
  comm::LocalWorld world(2, 30s);
  const auto start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> ranks;
    for (int rank = 0; rank < 2; ++rank) {
      ranks.emplace_back([&, rank] {
        model::Weights all;
        if (rank == 0) all = numbered(config);
        const auto collectives = world.collectives(rank);
        try {
          const auto to_gpus = comm::make_device_broadcast(*collectives, rank, 4s);
          const int member = ranges.size() > 1 ? rank : 0;
          static_cast<void>(share_weights_over_nccl(*collectives, "node", to_gpus.get(), rank, config, all,
                                                    ranges, member));
          ADD_FAILURE() << "no error on rank " << rank;
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ExitCode::unavailable);
          EXPECT_THAT(error.what(), HasSubstr("NCCL: nccl"));
          ++ended;
        }
      });
    }
  }
  EXPECT_EQ(ended, 2);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
  EXPECT_EQ(nccl_double::handles_left(), 0U);
}

class NcclWeightsFaults : public NcclWeights, public ::testing::WithParamInterface<FaultKind> {};

TEST_P(NcclWeightsFaults, EndTheJob) {
  for (const int call : {0, 1}) ends_with_a_failure(GetParam(), call, {{0, 3}});
  ends_with_a_failure(GetParam(), 2, {{0, 1}, {1, 2}});
}

INSTANTIATE_TEST_SUITE_P(Kinds, NcclWeightsFaults,
                         ::testing::Values(FaultKind::never_arrives, FaultKind::call_fails,
                                           FaultKind::async_error),
                         [](const auto& kind) {
                           switch (kind.param) {
                             case FaultKind::never_arrives:
                               return "never_arrives";
                             case FaultKind::call_fails:
                               return "call_fails";
                             default:
                               return "async_error";
                           }
                         });

}  // namespace
}  // namespace polyhead::run
