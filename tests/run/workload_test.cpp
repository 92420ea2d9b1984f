#include "polyhead/run/workload.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "../support.hpp"
#include "head_of.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/model/engine.hpp"
#include "polyhead/model/layout.hpp"

namespace polyhead::run {
namespace {

using config::LayerKind;
using polyhead::testing::head_of;

config::Config job(config::Arch arch) {
  config::Config config;
  config.backbone.arch = arch;
  config.heads = {
      head_of("mlp", {{LayerKind::linear, 256}, {LayerKind::relu}, {LayerKind::linear, 10}}),
      head_of("wide", {{LayerKind::linear, 512}, {LayerKind::batchnorm}, {LayerKind::linear, 10}}),
      head_of("norm", {{LayerKind::layernorm}, {LayerKind::dropout, 0, 0.2}, {LayerKind::linear, 10}}),
  };
  return config;
}

config::Arch arch_of(const std::string& word) {
  for (const auto arch : {config::Arch::resnet18, config::Arch::resnet34, config::Arch::resnet50}) {
    if (config::name(arch) == word) return arch;
  }
  throw std::runtime_error("no such architecture: " + word);
}

TEST(Workload, CostsWhatTorchvisionsModulesCost) {
  const testing::TemporaryFolder folder;
  const auto file = folder / "costs.txt";
  ASSERT_EQ(testing::run_python("run/make_costs.py", file.string()), 0);
  std::ifstream stream(file);
  std::string arch;
  ImageShape image;
  std::int64_t macs = 0;
  std::int64_t parameters = 0;
  int lines = 0;
  for (; stream >> arch >> image.height >> image.width >> macs >> parameters; ++lines) {
    const plan::Workload workload = workload_of(job(arch_of(arch)), image, 1, 1);
    EXPECT_EQ(workload.backbone.flops, 2 * macs) << arch << " " << image.height;
    EXPECT_EQ(workload.backbone.bytes, 4 * parameters) << arch;
  }
  EXPECT_EQ(lines, 9);
}

/// torchvision documents 1.81 GMAC for ResNet-18, its classifier of 512,000 included.
TEST(Workload, CostsWhatTorchvisionDocuments) {
  const auto flops = [](config::Arch arch) {
    return static_cast<double>(workload_of(job(arch), {224, 224}, 1, 1).backbone.flops) / 2e9;
  };
  EXPECT_NEAR(flops(config::Arch::resnet18) + 0.000512, 1.81, 0.01);
  EXPECT_NEAR(flops(config::Arch::resnet34) + 0.000512, 3.66, 0.01);
  EXPECT_NEAR(flops(config::Arch::resnet50) + 0.002048, 4.09, 0.01);
}

TEST(Workload, CountsHeads) {
  const plan::Workload workload = workload_of(job(config::Arch::resnet18), {224, 224}, 100, 1);
  ASSERT_EQ(workload.heads.size(), 3U);
  EXPECT_EQ(workload.heads[0].multiplications, 1 + 512 * 256 + 256 + 256 * 10);
  EXPECT_EQ(workload.heads[0].steps, 3);
  EXPECT_EQ(workload.heads[1].multiplications, 1 + 512 * 512 + 512 * 10);  // the batch norm is folded
  EXPECT_EQ(workload.heads[2].multiplications, 1 + 512 + 512 * 10);
  EXPECT_EQ(workload.classes, 10);
  EXPECT_EQ(workload.samples, 100);
  EXPECT_EQ(workload.batch, 32);
  EXPECT_EQ(workload.micro_batches(), 4);
  EXPECT_EQ(workload.backbone.feature_width, 512);
  EXPECT_EQ(workload.image_values, 3 * 224 * 224);
}

TEST(Workload, BytesOfHeadsAreThoseOfTheModelsLayout) {
  for (const auto arch : {config::Arch::resnet18, config::Arch::resnet50}) {
    const config::Config config = job(arch);
    const plan::Workload workload = workload_of(config, {64, 64}, 1, 1);
    std::int64_t bytes = workload.backbone.bytes;
    for (const plan::HeadCost& head : workload.heads) bytes += head.bytes;
    EXPECT_EQ(bytes, 4 * model::make_layout(config).values);
  }
}

config::Config on_libtorch(config::Arch arch) {
  config::Config config = job(arch);
  config.backbone.engine = config::Engine::libtorch;
  return config;
}

/// At the stem the input, its 64 channels of half the size, and the pooled ones with their places.
TEST(Workload, ActivationsAreThoseThatLiveAtOnce) {
  const std::int64_t stem = 4 * (3 * 224 * 224 + 64 * 112 * 112 + 64 * 56 * 56) + 8 * 64 * 56 * 56;
  const auto cost = [](config::Arch arch) {
    return workload_of(on_libtorch(arch), {224, 224}, 1, 1).backbone;
  };
  const plan::BackboneCost small = cost(config::Arch::resnet18);
  EXPECT_EQ(small.cpu_activations, stem);
  EXPECT_EQ(small.activations, stem);
  const plan::BackboneCost large = cost(config::Arch::resnet50);
  EXPECT_EQ(large.cpu_activations, stem);
  // The first block of wide ones: its input, the 3x3's output, the sum's two terms.
  EXPECT_EQ(large.activations, 4 * (256 + 64 + 256) * 56 * 56 + 4 * 64 * 56 * 56);
}

TEST(Workload, KnowsTheEngine) {
  const ImageShape image{224, 224};
  const plan::BackboneCost torch = workload_of(on_libtorch(config::Arch::resnet18), image, 1, 2).backbone;
  EXPECT_EQ(torch.prepared_bytes, torch.bytes);
  EXPECT_EQ(torch.cpu_workspace, 0);
  const config::Config any = job(config::Arch::resnet18);
  if (model::engine_of(any.backbone, {}) != config::Engine::winograd) return;
  const plan::BackboneCost two = workload_of(any, image, 1, 2).backbone;
  const plan::BackboneCost eight = workload_of(any, image, 1, 8).backbone;
  EXPECT_GT(two.shared_bytes, 170'000'000);  // 36 values for 9
  EXPECT_EQ(two.prepared_bytes, 0);
  EXPECT_LT(two.cpu_activations, torch.cpu_activations / 3);
  EXPECT_GT(eight.cpu_workspace, 3 * two.cpu_workspace);  // scratch and images of each thread
  EXPECT_EQ(eight.cpu_activations, two.cpu_activations);
}

}  // namespace
}  // namespace polyhead::run
