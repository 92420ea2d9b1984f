#include "polyhead/kernels/plan.hpp"

#include <deque>
#include <optional>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "polyhead/kernels/buffer.hpp"
#include "polyhead/kernels/resnet.hpp"
#include "reference.hpp"

/// Of the sanitizers' own allocator, where there is one.
extern "C" __attribute__((weak)) std::size_t __sanitizer_get_current_allocated_bytes();

namespace polyhead::kernels {
namespace {

std::size_t allocated() {
  if (__sanitizer_get_current_allocated_bytes != nullptr) return __sanitizer_get_current_allocated_bytes();
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// The first two stages of a ResNet-18 with wider second ones, so that each part of the count shows.
class Net {
 public:
  Net() : random_(11) {
    weights.stem = add({3, 64, 7, 2});
    block({{64, 64, 3, 1}, {64, 64, 3, 1}}, {});
    block({{64, 128, 3, 2}, {128, 128, 3, 1}}, ConvShape{64, 128, 1, 2});
    block({{128, 128, 3, 1}, {128, 128, 3, 1}}, {});
  }
  ResNetWeights weights;

 private:
  ConvWeights add(const ConvShape& shape) {
    const testing::Layer& layer = layers_.emplace_back(shape, random_);
    return {shape, layer.weight, layer.bias};
  }
  void block(const std::vector<ConvShape>& convs, std::optional<ConvShape> downsample) {
    BlockWeights made;
    for (const ConvShape& conv : convs) made.convs.push_back(add(conv));
    if (downsample) made.downsample = add(*downsample);
    weights.blocks.push_back(std::move(made));
  }

  testing::Random random_;
  std::deque<testing::Layer> layers_;
};

void expect_told(const Net& made, Isa isa, int threads) {
  constexpr int kSide = 140;  // 35 x 35 in parts, 18 x 18 for the whole batch
  const std::size_t before = allocated();
  Buffer prepared(ResNet::prepared_size(isa, made.weights));
  ResNet::prepare(isa, made.weights, {prepared.data(), prepared.size()});
  const ResNet net(isa, made.weights, {prepared.data(), prepared.size()});
  const std::size_t weights = footprint(isa, made.weights, 32, kSide, kSide, threads).weights;
  EXPECT_NEAR(static_cast<double>(weights) / static_cast<double>(allocated() - before), 1, 0.02);
  for (const int batch : {32, 64}) {
    const std::vector<float> pixels(static_cast<std::size_t>(batch) * 3 * kSide * kSide);
    std::vector<float> features(static_cast<std::size_t>(batch * net.feature_width()));
    const std::size_t start = allocated();
    ResNet::Memory memory(net, batch, kSide, kSide, threads);
    net.features(pixels, features, memory);
    const auto taken = static_cast<double>(allocated() - start);
    const ResNetFootprint told = footprint(isa, made.weights, batch, kSide, kSide, threads);
    const double expected = static_cast<double>(told.fixed) + batch * static_cast<double>(told.image);
    EXPECT_GE(expected, 0.98 * taken) << batch;
    EXPECT_LE(expected, 1.25 * taken) << batch;
  }
}

/// A case each, as sanitizers make them slow.
class Footprint : public ::testing::TestWithParam<std::tuple<Isa, int>> {};

TEST_P(Footprint, IsWhatTheAllocatorHasGivenOut) {
  mallopt(M_MMAP_MAX, 0);  // a mapping counts with what aligning it has wasted, which is never touched
  const auto [isa, threads] = GetParam();
  expect_told(Net(), isa, threads);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Footprint);  // where no instruction set is usable
INSTANTIATE_TEST_SUITE_P(Isas, Footprint,
                         ::testing::Combine(::testing::ValuesIn(usable_isas()), ::testing::Values(1, 3)),
                         [](const auto& made) {
                           return fmt::format("{}On{}Threads", name(std::get<0>(made.param)),
                                              std::get<1>(made.param));
                         });

}  // namespace
}  // namespace polyhead::kernels
