// All heads of a micro-batch in one call of the module `kernels`, beside LibTorch's operations head by head.
//
//   bench_heads [THREADS] [ROUNDS]
//
// Random weights, a micro-batch of 32 on ResNet-18's 512 features. Prints milliseconds a micro-batch, medians
// of interleaved rounds, and how far the two are apart at most.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "polyhead/base/aligned.hpp"
#include "polyhead/model/layout.hpp"
#include "polyhead/model/model.hpp"

namespace {

using namespace polyhead;
using Values = AlignedVector<float>;

constexpr std::int64_t kBatch = 32;
constexpr std::int64_t kFeatures = 512;

struct Job {
  const char* name;
  int heads;
  std::vector<std::int64_t> hidden;
  std::int64_t classes;
};

const std::vector<Job> kJobs{{"5 heads, 256 hidden, 10 classes", 5, {256}, 10},
                             {"5 heads, 256 hidden, 1000 classes", 5, {256}, 1000},
                             {"64 heads, 256 hidden, 10 classes", 64, {256}, 10},
                             {"64 heads, 10 classes", 64, {}, 10},
                             {"64 heads, 4096 hidden, 100 classes", 64, {4096}, 100},
                             {"10000 heads, 10 classes", 10'000, {}, 10}};

config::Config config_of(const Job& job, config::Engine engine) {
  config::Config config;
  config.backbone.engine = engine;
  std::vector<config::Layer> layers;
  for (const std::int64_t width : job.hidden) {
    layers.push_back({config::LayerKind::linear, width});
    layers.push_back({config::LayerKind::relu, 0});
  }
  layers.push_back({config::LayerKind::linear, job.classes});
  for (int k = 0; k < job.heads; ++k) {
    config::Head& head = config.heads.emplace_back();
    head.name = std::to_string(k);
    head.layers = layers;
  }
  return config;
}

/// What both compute with.
model::Weights random_weights(const config::Config& config) {
  const model::Layout layout = model::make_layout(config);
  model::Weights weights;
  weights.parameters = layout.parameters;
  weights.feature_width = layout.feature_width;
  weights.classes = layout.classes;
  std::minstd_rand random(1);
  std::uniform_real_distribution<float> value(-0.05F, 0.05F);
  weights.values.resize(static_cast<std::size_t>(layout.values));
  std::ranges::generate(weights.values, [&] { return value(random); });
  return weights;
}

class Contestant {
 public:
  Contestant(const Job& job, config::Engine engine, int threads) {
    const config::Config config = config_of(job, engine);
    model_ = model::make_model(config, random_weights(config), kBatch, {32, 32}, {false, 0, threads});
    scores.resize(static_cast<std::size_t>(job.heads * kBatch * job.classes));
  }
  void run(const Values& features) {
    const auto start = std::chrono::steady_clock::now();
    model_->scores(features, scores);
    times_.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  double median() {
    std::ranges::sort(times_);
    return times_[times_.size() / 2];
  }
  Values scores;

 private:
  std::unique_ptr<model::Model> model_;
  std::vector<double> times_;
};

void race(const Job& job, int threads, int rounds) {
  Contestant one_by_one(job, config::Engine::libtorch, threads);
  Contestant batched(job, config::Engine::automatic, threads);
  Values features(kBatch * kFeatures);
  for (std::size_t i = 0; i < features.size(); ++i) features[i] = std::sin(static_cast<float>(i));
  for (int round = 0; round < rounds; ++round) {
    one_by_one.run(features);
    batched.run(features);
  }
  float apart = 0;
  for (std::size_t i = 0; i < batched.scores.size(); ++i) {
    apart = std::max(apart, std::abs(batched.scores[i] - one_by_one.scores[i]));
  }
  const double before = one_by_one.median();
  const double after = batched.median();
  std::printf("%-36s %9.2f ms %9.2f ms %6.2f x   differ by %.1e\n", job.name, 1e3 * before, 1e3 * after,
              before / after, apart);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) try {
  const int threads = argc > 1 ? std::stoi(argv[1]) : 1;
  const int rounds = argc > 2 ? std::stoi(argv[2]) : 21;
  std::printf("%d thread(s), medians of %d interleaved rounds%20s %12s\n", threads, rounds, "LibTorch",
              "batched");
  for (const Job& job : kJobs) race(job, threads, rounds);
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_heads: %s\n", error.what());
  return 1;
}
