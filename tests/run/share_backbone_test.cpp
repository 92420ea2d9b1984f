#include "run/setup/share_backbone.hpp"

#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "polyhead/comm/local.hpp"
#include "polyhead/model/layout.hpp"

namespace polyhead::run {
namespace {

model::Weights some_weights(const config::Config& config) {
  const model::Layout layout = model::make_layout(config);
  model::Weights weights;
  weights.parameters = layout.parameters;
  weights.feature_width = layout.feature_width;
  weights.values.resize(static_cast<std::size_t>(layout.values));
  float value = 0;
  for (float& next : weights.values) next = value = value > 1 ? -1 : value + 0.013F;
  return weights;
}

/// What each rank gets; ranks are threads.
std::vector<model::Prepared> share(const std::vector<std::string>& hosts, const model::Weights& weights) {
  comm::LocalWorld world(static_cast<int>(hosts.size()), std::chrono::minutes(5));  // sanitizers are slow
  std::vector<model::Prepared> got(hosts.size());
  std::vector<std::thread> ranks;
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
    ranks.emplace_back([&, rank] {
      got[rank] = share_backbone(*world.collectives(static_cast<int>(rank)), hosts, {}, {}, weights);
    });
  }
  for (std::thread& rank : ranks) rank.join();
  return got;
}

class ShareBackbone : public ::testing::Test {
 protected:
  void SetUp() override {
    if (model::prepared_size({}, {}) == 0) GTEST_SKIP() << "this processor's engine shares nothing";
    weights_ = some_weights({});
  }
  model::Weights weights_;
};

TEST_F(ShareBackbone, OnceAHost) {
  const std::vector<model::Prepared> got = share({"a", "alone", "", "a", "b", "b"}, weights_);
  std::vector<float> own(model::prepared_size({}, {}));
  model::prepare({}, weights_, own);
  for (const std::size_t rank : {0, 3, 4, 5}) {
    ASSERT_EQ(got[rank].values.size(), own.size());
    EXPECT_EQ(std::memcmp(got[rank].values.data(), own.data(), own.size() * sizeof(float)), 0)
        << "rank " << rank;
  }
  EXPECT_TRUE(got[1].values.empty());
  EXPECT_TRUE(got[2].values.empty());
}

/// As where a process may make no large files. (Sanitizers could not do without files at all.)
TEST_F(ShareBackbone, OrEverybodyForItself) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit little{4096, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &little), 0);
  const std::vector<model::Prepared> got = share({"a", "a"}, weights_);
  setrlimit(RLIMIT_FSIZE, &before);
  for (const model::Prepared& prepared : got) EXPECT_TRUE(prepared.values.empty());
}

}  // namespace
}  // namespace polyhead::run
