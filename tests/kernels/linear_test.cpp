#include "polyhead/kernels/linear.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "reference.hpp"

namespace polyhead::kernels {
namespace {

using testing::Random;

struct Layer {
  int in;
  int out;
  bool relu;
  std::vector<float> weight;
  std::vector<float> bias;
};

Layer random_layer(Random& random, int in, int out, bool relu) {
  return {in, out, relu, random.normal(static_cast<std::size_t>(in * out)),
          random.normal(static_cast<std::size_t>(out))};
}

/// [sample][out] of each layer, all of the same inputs, [sample][in].
std::vector<std::vector<float>> compute(Isa isa, const std::vector<Layer>& layers,
                                        const std::vector<float>& x, int threads) {
  const int samples = static_cast<int>(x.size()) / layers.front().in;
  const int panels = panels_of(isa, samples);
  const auto padded = static_cast<std::size_t>(panels * panel_of(isa));
  std::vector<float> inputs(padded * static_cast<std::size_t>(layers.front().in));
  to_panels(isa, x, layers.front().in, inputs.data());
  std::vector<std::vector<float>> results;
  std::vector<LinearCall> calls;
  for (const Layer& layer : layers) results.emplace_back(padded * static_cast<std::size_t>(layer.out));
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const Layer& layer = layers[k];
    calls.push_back({layer.weight.data(), layer.bias.data(), layer.in, layer.out, layer.relu, inputs.data(),
                     results[k].data()});
  }
  Team team(threads);
  compute(isa, calls, panels, team);
  for (std::size_t k = 0; k < layers.size(); ++k) {
    std::vector<float> rows(static_cast<std::size_t>(samples * layers[k].out));
    from_panels(isa, results[k].data(), layers[k].out, rows);
    results[k] = rows;
  }
  return results;
}

std::vector<Layer> some_layers(Random& random, int in) {
  std::vector<Layer> layers;
  for (const int out : {1, 10, 13, 14, 15, 57, 200})
    layers.push_back(random_layer(random, in, out, out % 2 == 0));
  return layers;
}

double exact(const Layer& layer, const float* x, int row) {
  double sum = layer.bias[static_cast<std::size_t>(row)];
  for (int c = 0; c < layer.in; ++c) {
    sum += double{layer.weight[static_cast<std::size_t>(row * layer.in + c)]} * x[c];
  }
  return layer.relu && sum < 0 ? 0 : sum;
}

TEST(Linear, IsTheProduct) {
  Random random(3);
  for (const int in : {1, 15, 16, 100, 512}) {
    const std::vector<Layer> layers = some_layers(random, in);
    constexpr int kSamples = 37;
    const std::vector<float> x = random.normal(static_cast<std::size_t>(kSamples * in));
    for (const Isa isa : usable_isas()) {
      const auto results = compute(isa, layers, x, 2);
      for (std::size_t k = 0; k < layers.size(); ++k) {
        for (int i = 0; i < kSamples * layers[k].out; ++i) {
          const int sample = i / layers[k].out;
          EXPECT_NEAR(results[k][static_cast<std::size_t>(i)],
                      exact(layers[k], &x[static_cast<std::size_t>(sample * in)], i % layers[k].out),
                      1e-6 * in + 1e-6);
        }
      }
    }
  }
}

TEST(Linear, BitsDependOnTheRowAndTheSampleAlone) {
  Random random(4);
  const std::vector<Layer> layers = some_layers(random, 100);
  const std::vector<float> x = random.normal(50 * 100);
  std::vector<std::vector<float>> first;
  for (const Isa isa : usable_isas()) {
    const auto all = compute(isa, layers, x, 3);
    if (first.empty()) first = all;
    EXPECT_EQ(all, first);
    for (std::size_t k = 0; k < layers.size(); ++k) {
      EXPECT_EQ(compute(isa, {layers[k]}, x, 1).front(), all[k]);
      const std::vector<float> one(x.begin() + 41 * 100, x.begin() + 42 * 100);
      const std::vector<float> row = compute(isa, {layers[k]}, one, 1).front();
      EXPECT_TRUE(std::equal(row.begin(), row.end(), all[k].begin() + 41 * layers[k].out));
    }
  }
}

TEST(Linear, WhatIsNotFiniteStaysInItsSample) {
  Random random(5);
  const Layer layer = random_layer(random, 20, 30, true);
  const std::vector<float> x = random.normal(33 * 20);
  std::vector<float> bad = x;
  bad[7 * 20 + 3] = std::numeric_limits<float>::quiet_NaN();
  for (const Isa isa : usable_isas()) {
    const std::vector<float> clean = compute(isa, {layer}, x, 1).front();
    const std::vector<float> found = compute(isa, {layer}, bad, 1).front();
    for (std::size_t i = 0; i < clean.size(); ++i) {
      EXPECT_TRUE(i / 30 == 7 ? std::isnan(found[i]) : found[i] == clean[i]) << i;
    }
  }
}

}  // namespace
}  // namespace polyhead::kernels
