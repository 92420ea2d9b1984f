#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include "polyhead/base/page_buffer.hpp"
#include "polyhead/resnet/plan.hpp"
#include "support.hpp"

/// Of the sanitizers' own allocator, where there is one.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the sanitizers call it so
extern "C" __attribute__((weak)) std::size_t __sanitizer_get_current_allocated_bytes();

namespace polyhead::resnet {
namespace {

using kernels::Isa;

std::size_t allocated() {
  if (__sanitizer_get_current_allocated_bytes != nullptr) return __sanitizer_get_current_allocated_bytes();
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// The first two stages of a ResNet-18, so that each part of the count shows.
testing::Net two_stages() {
  testing::Net net({3, 64, 7, 2}, 11);
  net.add_block({{64, 64, 3, 1}, {64, 64, 3, 1}});
  net.add_block({{64, 128, 3, 2}, {128, 128, 3, 1}}, kernels::ConvShape{64, 128, 1, 2});
  net.add_block({{128, 128, 3, 1}, {128, 128, 3, 1}});
  return net;
}

void expect_told(const testing::Net& made, Isa isa, int threads) {
  constexpr int kSide = 140;  // 35 x 35 image by image, 18 x 18 for the whole batch
  const std::size_t before = allocated();
  PageBuffer prepared(Network::prepared_size(isa, made.spec));
  made.prepare(isa, {prepared.data(), prepared.size()});
  const Network net(isa, made.spec, {prepared.data(), prepared.size()});
  const std::size_t weights = footprint(isa, made.spec, 32, kSide, kSide, threads).weights;
  EXPECT_NEAR(static_cast<double>(weights) / static_cast<double>(allocated() - before), 1, 0.02);
  for (const int batch : {32, 64}) {
    const std::vector<float> pixels(static_cast<std::size_t>(batch) * 3 * kSide * kSide);
    std::vector<float> features(static_cast<std::size_t>(batch * net.feature_width()));
    const std::size_t start = allocated();
    Network::Memory memory(net, batch, kSide, kSide, threads);
    net.features(pixels, features, memory);
    const auto taken = static_cast<double>(allocated() - start);
    const Footprint told = footprint(isa, made.spec, batch, kSide, kSide, threads);
    const double expected = static_cast<double>(told.fixed) + batch * static_cast<double>(told.image);
    EXPECT_GE(expected, 0.98 * taken) << batch;
    EXPECT_LE(expected, 1.25 * taken) << batch;
  }
}

/// A case each, as sanitizers make them slow.
class FootprintTest : public ::testing::TestWithParam<std::tuple<Isa, int>> {};

TEST_P(FootprintTest, IsWhatTheAllocatorHasGivenOut) {
  mallopt(M_MMAP_MAX, 0);  // a mapping counts with what aligning it has wasted, which is never touched
  const auto [isa, threads] = GetParam();
  expect_told(two_stages(), isa, threads);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FootprintTest);  // where no instruction set is usable
INSTANTIATE_TEST_SUITE_P(Isas, FootprintTest,
                         ::testing::Combine(::testing::ValuesIn(kernels::usable_isas()),
                                            ::testing::Values(1, 3)),
                         [](const auto& made) {
                           return fmt::format("{}On{}Threads", name(std::get<0>(made.param)),
                                              std::get<1>(made.param));
                         });

}  // namespace
}  // namespace polyhead::resnet
