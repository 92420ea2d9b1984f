#include "polyhead/resnet/network.hpp"

#include <algorithm>
#include <limits>
#include <thread>

#include <gtest/gtest.h>

#include "support.hpp"

namespace polyhead::resnet {
namespace {

using kernels::ConvShape;
using kernels::Isa;
using kernels::usable_isas;
using testing::Net;

constexpr int kHeight = 91;  // large enough for layers that are computed in parts of the batch
constexpr int kWidth = 86;
constexpr std::size_t kImage = std::size_t{3} * kHeight * kWidth;

/// With blocks of both kinds: two convolutions, and a bottleneck.
Net small_net(unsigned seed) {
  Net net({3, 8, 7, 2}, seed);
  net.add_block({{8, 8, 3, 1}, {8, 8, 3, 1}});
  net.add_block({{8, 20, 3, 2}, {20, 20, 3, 1}}, ConvShape{8, 20, 1, 2});
  net.add_block({{20, 6, 1, 1}, {6, 6, 3, 2}, {6, 40, 1, 1}}, ConvShape{20, 40, 1, 2});
  net.add_block({{40, 6, 1, 1}, {6, 6, 3, 1}, {6, 40, 1, 1}});
  return net;
}

std::vector<float> prepare(Isa isa, const Net& net) {
  std::vector<float> prepared(Network::prepared_size(isa, net.spec));
  net.prepare(isa, prepared);
  return prepared;
}

class Caller {
 public:
  Caller(const Network& net, std::size_t batch, int threads)
      : net_(net), batch_(batch), memory_(net, static_cast<int>(batch), kHeight, kWidth, threads) {}
  std::vector<float> features(const std::vector<float>& pixels) {
    std::vector<float> found(batch_ * static_cast<std::size_t>(net_.feature_width()));
    net_.features(pixels, found, memory_);
    return found;
  }

 private:
  const Network& net_;
  std::size_t batch_;
  Network::Memory memory_;
};

std::vector<float> features(const Network& net, const std::vector<float>& pixels, int threads) {
  Caller caller(net, pixels.size() / kImage, threads);
  std::vector<float> found = caller.features(pixels);
  EXPECT_EQ(caller.features(pixels), found) << "the second time";
  return found;
}

std::vector<float> row(const std::vector<float>& all, std::size_t number, std::size_t size) {
  return {all.begin() + static_cast<std::ptrdiff_t>(number * size),
          all.begin() + static_cast<std::ptrdiff_t>((number + 1) * size)};
}

TEST(Network, BitsDependOnTheSampleAlone) {
  Net made = small_net(1);
  const std::vector<float> pixels = made.random.normal(9 * kImage);
  std::vector<float> first;
  for (const Isa isa : usable_isas()) {
    const std::vector<float> prepared = prepare(isa, made);
    const Network net(isa, made.spec, prepared);
    ASSERT_EQ(net.feature_width(), 40);
    const std::vector<float> all = features(net, pixels, 1);
    EXPECT_EQ(features(net, pixels, 2), all);
    EXPECT_EQ(features(net, pixels, 5), all);
    for (const std::size_t image : {std::size_t{0}, std::size_t{4}, std::size_t{8}}) {
      EXPECT_EQ(features(net, row(pixels, image, kImage), 2), row(all, image, 40)) << image;
    }
    std::vector<float> turned = row(pixels, 8, kImage);
    turned.insert(turned.end(), pixels.begin(), pixels.end());
    EXPECT_EQ(row(features(net, turned, 2), 5, 40), row(all, 4, 40));
    if (first.empty()) first = all;
    EXPECT_EQ(all, first) << kernels::name(isa) << " has other bits";
  }
}

TEST(Network, CallersWithMemoriesOfTheirOwnMayShareIt) {
  Net made = small_net(2);
  const std::vector<float> pixels = made.random.normal(5 * kImage);
  const std::vector<float> prepared = prepare(usable_isas().back(), made);
  const Network net(usable_isas().back(), made.spec, prepared);
  const std::vector<float> expected = features(net, pixels, 1);
  std::vector<std::vector<float>> found(3);
  std::vector<std::thread> callers;
  for (auto& mine : found) callers.emplace_back([&] { mine = features(net, pixels, 2); });
  for (std::thread& caller : callers) caller.join();
  for (const auto& mine : found) EXPECT_EQ(mine, expected);
}

TEST(Network, OneBadImageSpoilsNoOther) {
  Net made = small_net(3);
  std::vector<float> pixels = made.random.normal(6 * kImage);
  for (const Isa isa : usable_isas()) {
    const std::vector<float> prepared = prepare(isa, made);
    const Network net(isa, made.spec, prepared);
    Caller caller(net, 6, 2);
    const std::vector<float> clean = caller.features(pixels);
    std::vector<float> bad = pixels;
    bad[3 * kImage + 12345] = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> found = caller.features(bad);
    EXPECT_EQ(caller.features(pixels), clean) << "something of it was left";
    for (std::size_t image = 0; image < 6; ++image) {
      if (image != 3) {
        EXPECT_EQ(row(found, image, 40), row(clean, image, 40)) << image;
      }
    }
    const std::vector<float> mine = row(found, 3, 40);
    EXPECT_FALSE(std::ranges::all_of(mine, [](float value) { return std::isfinite(value); }));
  }
}

}  // namespace
}  // namespace polyhead::resnet
