#include "run/planning/run_plan.hpp"

#include <array>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../support.hpp"
#include "head_of.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/comm/local.hpp"

namespace polyhead::run {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr data::DatasetShape kFewImages{64, {32, 32}};

/// 8 heads of 2 million weights.
config::Config heavy_heads() {
  config::Config config;
  config.data.format = config::DataFormat::hdf5;
  const std::vector<config::Layer> layers{
      {config::LayerKind::linear, 4096}, {config::LayerKind::relu}, {config::LayerKind::linear, 10}};
  for (int k = 0; k < 8; ++k)
    config.heads.push_back(polyhead::testing::head_of(fmt::format("h{}", k), layers));
  return config;
}

/// Ranks of one host, a core each.
std::vector<plan::RankCores> cores(int ranks) {
  std::vector<plan::RankCores> cores;
  for (int rank = 0; rank < ranks; ++rank) cores.push_back({"host", {rank}, {}});
  return cores;
}

/// Micro-batches of 32 make two of them, for four ranks.
TEST(AgreeOnChoice, AutoSharesHeavyHeadsWhenThereAreFewMicroBatches) {
  comm::LocalWorld world(1);
  const RunPlan choice = agree_on_run_plan(*world.collectives(0), heavy_heads(), kFewImages, cores(4), {});
  EXPECT_EQ(choice.grid, (plan::Grid{1, 4}));
  EXPECT_EQ(choice.batch, 32);
  EXPECT_THAT(choice.heads, ElementsAre(plan::HeadRange{0, 2}, plan::HeadRange{2, 2}, plan::HeadRange{4, 2},
                                        plan::HeadRange{6, 2}));
}

TEST(AgreeOnChoice, AutoSharesNoHeadsWhenThereIsWorkForAll) {
  comm::LocalWorld world(1);
  const RunPlan choice =
      agree_on_run_plan(*world.collectives(0), heavy_heads(), {12'800, {32, 32}}, cores(4), {});
  EXPECT_EQ(choice.grid, (plan::Grid{4, 1}));
  EXPECT_THAT(choice.heads, ElementsAre(plan::HeadRange{0, 8}));
}

/// Ranks as threads; each does `part` with its collectives.
template <class Part>
void on_ranks(int ranks, Part part) {
  comm::LocalWorld world(ranks);
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] { part(*world.collectives(rank)); });
  }
}

/// The other ranks see other machines, and still do as rank 0 says.
TEST(AgreeOnChoice, Rank0Decides) {
  std::array<RunPlan, 4> choices;
  on_ranks(4, [&](comm::Collectives& world) {
    const auto seen = cores(world.rank() == 0 ? 4 : 1);
    choices.at(static_cast<std::size_t>(world.rank())) =
        agree_on_run_plan(world, heavy_heads(), kFewImages, seen, {});
  });
  for (const RunPlan& choice : choices) {
    EXPECT_EQ(choice.grid, (plan::Grid{1, 4}));
    EXPECT_EQ(choice.batch, 32);
    EXPECT_EQ(choice.heads, choices.front().heads);
  }
}

TEST(AgreeOnChoice, EveryRankLearnsOfAGridThatIsTooLarge) {
  config::Config config = heavy_heads();
  config.parallel.strategy = config::Strategy::grid;
  config.parallel.grid = config::GridShape{2, 3};
  on_ranks(4, [&](comm::Collectives& world) {
    const auto [code, text] = polyhead::testing::error_of(
        [&] { return agree_on_run_plan(world, config, kFewImages, cores(4), {}); });
    EXPECT_EQ(code, ExitCode::config);
    EXPECT_THAT(text, HasSubstr("2 x 3 (data x heads) needs 6 ranks, but 4 were started"));
  });
}

}  // namespace
}  // namespace polyhead::run
