#include <deque>
#include <optional>
#include <vector>

#include <gtest/gtest.h>
#include <malloc.h>

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
    block({{64, 256, 3, 2}, {256, 256, 3, 1}}, ConvShape{64, 256, 1, 2});
    block({{256, 256, 3, 1}, {256, 256, 3, 1}}, {});
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
  const ResNet net(isa, made.weights);
  const std::size_t weights = footprint(isa, made.weights, 32, kSide, kSide, threads).weights;
  EXPECT_NEAR(static_cast<double>(weights) / static_cast<double>(allocated() - before), 1, 0.02);
  for (const int batch : {32, 96}) {
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

TEST(Footprint, IsWhatTheAllocatorHasGivenOut) {
  mallopt(M_MMAP_MAX, 0);  // a mapping counts with what aligning it has wasted, which is never touched
  const Net made;
  for (const Isa isa : usable_isas()) {
    for (const int threads : {1, 3}) {
      SCOPED_TRACE(::testing::Message() << name(isa) << ", " << threads << " threads");
      expect_told(made, isa, threads);
    }
  }
}

}  // namespace
}  // namespace polyhead::kernels
