#include "polyhead/config/names.hpp"

#include <gtest/gtest.h>

#include "polyhead/config/fusion_rule.hpp"

namespace polyhead::config {
namespace {

TEST(Names, AreTheWordsOfTheFile) {
  EXPECT_EQ(name(DataFormat::hdf5), "hdf5");
  EXPECT_EQ(name(Interpolation::bicubic), "bicubic");
  EXPECT_EQ(name(Arch::resnet50), "resnet50");
  EXPECT_EQ(name(Precision::fp32), "fp32");
  EXPECT_EQ(name(FusionRule::mean_probabilities), "mean-probabilities");
  EXPECT_EQ(name(Strategy::automatic), "auto");
  EXPECT_EQ(name(Strategy::heads), "heads");
  EXPECT_EQ(name(Features::local), "local");
  EXPECT_EQ(name(CommBackend::nccl), "nccl");
  EXPECT_EQ(name(Writers::all), "all");
  EXPECT_EQ(name(Cache::features), "features");
  EXPECT_EQ(name(Device::cuda), "cuda");
  EXPECT_EQ(name(LayerKind::layernorm), "layernorm");
}

TEST(Describe, WritesLayersAsTheFileDoes) {
  EXPECT_EQ(describe({LayerKind::linear, 256}), "linear 256");
  EXPECT_EQ(describe({LayerKind::dropout, 0, 0.2}), "dropout 0.2");
  EXPECT_EQ(describe({LayerKind::dropout, 0, 0}), "dropout 0");
  EXPECT_EQ(describe({LayerKind::relu}), "relu");
}

}  // namespace
}  // namespace polyhead::config
