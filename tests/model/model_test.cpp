#include "polyhead/model/model.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <set>

#include <gmock/gmock.h>
#include <stdlib.h>

#include "../checkpoint/support.hpp"
#include "polyhead/base/aligned.hpp"
#include "polyhead/base/cpu.hpp"
#include "polyhead/base/environment.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/device/cuda.hpp"
#include "polyhead/kernels/isa.hpp"
#include "random_files.hpp"

namespace polyhead::model {
namespace {

using config::Engine;
using config::LayerKind;
using ::testing::HasSubstr;
using testing::layer;
using testing::linear;
using ::testing::StartsWith;

using Values = AlignedVector<float>;

constexpr std::int64_t kBatch = 8;
constexpr std::int64_t kHeads = 4;
constexpr std::int64_t kClasses = 10;

/// The network that make_reference.py writes.
config::Config reference_config(const std::filesystem::path& folder, config::Arch arch,
                                config::Engine engine) {
  config::Config config;
  config.backbone = testing::backbone_of(arch, folder / "backbone.pth", engine);
  config.heads = {
      testing::head_of("mlp", {linear(256), layer(LayerKind::relu), linear(10)}, folder / "mlp.pth"),
      testing::head_of("wide", {linear(512), layer(LayerKind::batchnorm), linear(10)},
                       folder / "wide.safetensors"),
      testing::head_of("dropout", {linear(128), layer(LayerKind::dropout), linear(10)},
                       folder / "dropout.pth"),
      testing::head_of("every",
                       {layer(LayerKind::flatten), layer(LayerKind::batchnorm), linear(64),
                        layer(LayerKind::gelu), layer(LayerKind::layernorm), layer(LayerKind::tanh),
                        linear(32), layer(LayerKind::batchnorm), layer(LayerKind::relu), linear(10)},
                       folder / "every.pth")};
  return config;
}

Values aligned(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

double largest_difference(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(double{a[i]} - b[i]);
    largest = difference <= largest ? largest : difference;  // NaN counts
  }
  return largest;
}

/// Where make_reference.py has written a network; once for all tests of the process, as it takes seconds.
std::filesystem::path reference_folder(const std::string& name) {
  static const testing::TemporaryFolder folder;
  static std::set<std::string> made;
  if (made.insert(name).second) {
    EXPECT_EQ(testing::make_reference(fmt::format("models '{}' {}", folder.path().string(), name)), 0);
  }
  return folder / name;
}

/// One of torchvision's ResNets with random weights, and what PyTorch computes with it.
class Reference {
 public:
  Reference(config::Arch arch, int size, Engine engine = Engine::automatic, const char* images = "")
      : name_(fmt::format("{}-{}{}", config::name(arch), size, images)),
        folder_(reference_folder(name_)),
        config_(reference_config(folder_, arch, engine)),
        image_{size, size},
        images_(aligned(testing::read_floats(folder_ / "images.f32"))),
        features_(testing::read_floats(folder_ / "features.f32")),
        exact_(testing::read_floats(folder_ / "exact.f32")),
        logits_(testing::read_floats(folder_ / "logits.f32")) {}

  [[nodiscard]] std::unique_ptr<Model> model(const DeviceAssignment& assignment) const {
    Notes notes;
    return make_model(config_, load_weights(config_, notes), kBatch, image_, assignment);
  }
  [[nodiscard]] const Values& images() const { return images_; }
  [[nodiscard]] Values features(Model& model, const Values& images) const {
    Values out(features_.size());
    model.features(images, out);
    return out;
  }
  [[nodiscard]] static Values scores(Model& model, const Values& features) {
    Values out(kHeads * kBatch * kClasses);
    model.scores(features, out);
    return out;
  }
  [[nodiscard]] const std::vector<float>& expected_features() const { return features_; }
  /// The same in fp64.
  [[nodiscard]] const std::vector<float>& exact_features() const { return exact_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<float>& expected_logits() const { return logits_; }

 private:
  std::string name_;
  std::filesystem::path folder_;
  config::Config config_;
  ImageShape image_;
  Values images_;
  std::vector<float> features_;
  std::vector<float> exact_;
  std::vector<float> logits_;
};

/// |a - b| / |b|
double relative_error(std::span<const float> a, std::span<const float> b) {
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    size += double{b[i]} * b[i];
  }
  return std::sqrt(difference / size);
}

/// The class with the largest logit, for each head and sample.
std::vector<std::int64_t> predictions(std::span<const float> logits) {
  std::vector<std::int64_t> found;
  for (auto row = logits.begin(); row != logits.end(); row += kClasses)
    found.push_back(std::max_element(row, row + kClasses) - row);
  return found;
}

/// Rounding errors are those of PyTorch's own fp32, or a little larger: `times` as large.
void compare(config::Arch arch, int size, Engine engine, double times, const char* images = "") {
  const Reference reference(arch, size, engine, images);
  const auto model = reference.model({});
  const Values features = reference.features(*model, reference.images());
  const Values scores = Reference::scores(*model, features);
  const double features_error = largest_difference(features, reference.expected_features());
  const double logits_error = largest_difference(scores, reference.expected_logits());
  const double error = relative_error(features, reference.exact_features());
  const double pytorch_error = relative_error(reference.expected_features(), reference.exact_features());
  std::cout << reference.name() << ": largest difference of a feature " << features_error << ", of a logit "
            << logits_error << "; features against fp64 " << error << ", PyTorch's " << pytorch_error << "\n";
  EXPECT_LE(error, times * pytorch_error);
  if (size < 224) return;  // small images leave nothing to average over
  EXPECT_LT(error, 1e-6);
  EXPECT_LE(features_error, 1e-4);
  EXPECT_LE(logits_error, 1e-4);
  EXPECT_EQ(predictions(scores), predictions(reference.expected_logits()));
}

/// Those that this processor can run.
std::set<Engine> engines() {
  return {Engine::libtorch,
          engine_of(testing::backbone_of(config::Arch::resnet18, "", Engine::automatic), {})};
}

TEST(Engines, BothRunHere) {
  if (!engines().contains(Engine::winograd)) GTEST_SKIP() << "this processor has no AVX2";
}

class EngineTest : public ::testing::TestWithParam<Engine> {};
INSTANTIATE_TEST_SUITE_P(Model, EngineTest, ::testing::ValuesIn(engines()),
                         [](const auto& engine) { return std::string(config::name(engine.param)); });

TEST_P(EngineTest, ResNet18ComputesWhatPyTorchComputes) {
  compare(config::Arch::resnet18, 32, GetParam(), 3);
}
TEST_P(EngineTest, ResNet18ComputesWhatPyTorchComputesOfWholeImages) {
  compare(config::Arch::resnet18, 224, GetParam(), 3);
}
TEST_P(EngineTest, ResNet18ComputesWhatPyTorchComputesOfPhotographs) {
  compare(config::Arch::resnet18, 224, GetParam(), 3, "-photographs");
}
TEST_P(EngineTest, ResNet34ComputesWhatPyTorchComputesOfPhotographs) {
  compare(config::Arch::resnet34, 224, GetParam(), 3, "-photographs");
}
TEST_P(EngineTest, ResNet34ComputesWhatPyTorchComputes) {
  compare(config::Arch::resnet34, 32, GetParam(), 3);
}
TEST(Model, ResNet50ComputesWhatPyTorchComputes) {
  compare(config::Arch::resnet50, 64, Engine::automatic, 3);
}

TEST_P(EngineTest, BitsDependNeitherOnThreadsNorOnOtherRows) {
  const Reference reference(config::Arch::resnet18, 32, GetParam());
  const auto two = reference.model({false, 0, 2});
  const Values features = reference.features(*two, reference.images());
  const Values scores = Reference::scores(*two, features);
  const auto one = reference.model({false, 0, 1});
  EXPECT_EQ(reference.features(*one, reference.images()), features);
  EXPECT_EQ(Reference::scores(*one, features), scores);

  Values reversed;  // the same images in the opposite order
  const std::int64_t image = static_cast<std::int64_t>(reference.images().size()) / kBatch;
  for (std::int64_t row = kBatch; row-- > 0;) {
    const auto begin = reference.images().begin() + row * image;
    reversed.insert(reversed.end(), begin, begin + image);
  }
  const Values turned = reference.features(*one, reversed);
  for (std::int64_t row = 0; row < kBatch; ++row) {
    EXPECT_TRUE(std::equal(features.begin() + row * 512, features.begin() + (row + 1) * 512,
                           turned.begin() + (kBatch - 1 - row) * 512));
  }
  Values padded = reference.images();  // a last micro-batch of one sample
  std::fill(padded.begin() + image, padded.end(), 0.0F);
  const Values alone = reference.features(*one, padded);
  EXPECT_TRUE(std::equal(features.begin(), features.begin() + 512, alone.begin()));
}

TEST_P(EngineTest, WhatIsNotFiniteIsNeverLost) {
  const Reference reference(config::Arch::resnet18, 32, GetParam());
  const auto model = reference.model({});
  const Values clean = reference.features(*model, reference.images());
  Values images = reference.images();
  const std::size_t image = images.size() / kBatch;
  images[2 * image + 500] = std::numeric_limits<float>::quiet_NaN();
  images[5 * image + 500] = std::numeric_limits<float>::infinity();
  std::ranges::fill(std::span(images).subspan(7 * image, image), 3e38F);  // overflows within the network
  const Values features = reference.features(*model, images);
  const Values scores = Reference::scores(*model, features);
  for (std::size_t row = 0; row < kBatch; ++row) {
    const auto mine = std::span(features).subspan(row * 512, 512);
    if (row != 2 && row != 5 && row != 7) {
      EXPECT_TRUE(std::ranges::equal(mine, std::span(clean).subspan(row * 512, 512))) << row;
      continue;
    }
    EXPECT_FALSE(std::ranges::all_of(mine, [](float value) { return std::isfinite(value); })) << row;
    for (std::size_t head = 0; head < kHeads; ++head) {
      EXPECT_FALSE(std::isfinite(scores[(head * kBatch + row) * kClasses])) << row << ", head " << head;
    }
  }
}

/// A ResNet-18 with random weights and one head, packed.
class SmallModel : public ::testing::Test {
 protected:
  void SetUp() override {
    checkpoint::Checkpoint head;
    testing::add_linear(head, "0", 512, 3);
    config_.backbone.weights =
        folder_.write("b.safetensors", testing::safetensors(testing::random_resnet(config::Arch::resnet18)));
    config_.heads = {
        testing::head_of("h", {linear(3)}, folder_.write("h.safetensors", testing::safetensors(head)))};
    Notes notes;
    weights_ = load_weights(config_, notes);
  }
  std::string refusal(ExitCode expected, std::int64_t batch = 2, const DeviceAssignment& assignment = {}) {
    const auto [code, text] = testing::error_of([&] {
      return make_model(config_, weights_, batch, ImageShape{32, 32}, assignment);
    });
    EXPECT_EQ(code, expected);
    return text;
  }
  testing::TemporaryFolder folder_;
  config::Config config_;
  Weights weights_;
};

TEST_F(SmallModel, ImagesNeedNotBeSquare) {
  const auto model = make_model(config_, weights_, 2, ImageShape{33, 70}, {});
  const Values pixels(std::size_t{2} * 3 * 33 * 70, 0.0F);
  Values features(std::size_t{2} * 512);
  model->features(pixels, features);
  EXPECT_TRUE(std::equal(features.begin(), features.begin() + 512, features.begin() + 512));
}

/// What the host's preprocessing and the device's normalisation make of the same bytes.
TEST_F(SmallModel, BytesGiveTheBitsOfNormalisedPixels) {
  config_.data.preprocess.mean = {0.485, 0.456, 0.406};
  config_.data.preprocess.std = {0.229, 0.224, 0.225};
  const auto model = make_model(config_, weights_, 2, ImageShape{32, 40}, {});
  AlignedVector<std::uint8_t> bytes(std::size_t{2} * 32 * 40 * 3);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  Values pixels(bytes.size());
  for (std::size_t n = 0; n < 2; ++n) {
    for (std::size_t at = 0; at < std::size_t{32} * 40; ++at) {
      for (std::size_t c = 0; c < 3; ++c) {
        const float scaled = static_cast<float>(bytes[(n * 32 * 40 + at) * 3 + c]) / 255.0F;
        pixels[(n * 3 + c) * 32 * 40 + at] = (scaled - static_cast<float>(config_.data.preprocess.mean[c])) /
                                             static_cast<float>(config_.data.preprocess.std[c]);
      }
    }
  }
  Values from_pixels(std::size_t{2} * 512);
  Values from_bytes(std::size_t{2} * 512);
  model->features(pixels, from_pixels);
  model->features(bytes, from_bytes);
  EXPECT_EQ(from_pixels, from_bytes);
}

TEST_F(SmallModel, RefusesWeightsOfAnotherConfiguration) {
  config_.heads[0].layers = {linear(4)};
  EXPECT_EQ(refusal(ExitCode::internal), "the weights do not belong to this configuration");
  config_.heads[0].layers = {linear(3)};
  weights_.values.resize(weights_.values.size() - 16);
  EXPECT_EQ(refusal(ExitCode::internal), "the weights do not belong to this configuration");
}

TEST_F(SmallModel, RefusesImpossibleShapes) {
  EXPECT_EQ(refusal(ExitCode::internal, 0), "make_model: batch 0, image 32 x 32, threads 1");
}

TEST_F(SmallModel, RefusesBuffersOfAnotherSize) {
  const auto model = make_model(config_, weights_, 2, ImageShape{32, 32}, {});
  Values pixels(5);
  Values features(std::size_t{2} * 512);
  const auto [code, text] = testing::error_of([&] {
    model->features(pixels, features);
    return 0;
  });
  EXPECT_EQ(code, ExitCode::internal);
  EXPECT_EQ(text, "a buffer does not have the size that its shape needs");
}

TEST_F(SmallModel, AGpuThatIsNotThereIsRefused) {
  const int count = device::device_count();
  const std::string text = refusal(ExitCode::config, 2, {true, count, 1});
  EXPECT_THAT(text, HasSubstr(count == 0 ? "no GPU can be used: " + device::why_no_device()
                                         : std::string("this process may use")));
}

TEST(FormerEngineFingerprint, NamesEnginesWithTheirInstructionSets) {
  unsetenv("ONEDNN_MAX_CPU_ISA");
  config::Backbone backbone;
  backbone.engine = Engine::libtorch;
  const std::string plain = former_engine_fingerprint(backbone, {});
  EXPECT_THAT(plain, HasSubstr("LibTorch " + libtorch_version() + "; kernels "));
  setenv("ONEDNN_MAX_CPU_ISA", "AVX", 1);
  EXPECT_EQ(former_engine_fingerprint(backbone, {}), plain + "; ONEDNN_MAX_CPU_ISA=AVX");
  unsetenv("ONEDNN_MAX_CPU_ISA");
  backbone.engine = Engine::automatic;
  const auto isa = kernels::best_isa();
  const std::string own = isa ? fmt::format("backbone winograd {0}; heads {0}; ", kernels::name(*isa)) : "";
  EXPECT_THAT(former_engine_fingerprint(backbone, {}), HasSubstr("; " + own + "kernels "));
  EXPECT_EQ(former_engine_fingerprint(backbone, {}).size(), plain.size() + own.size());
}

TEST(BackboneFingerprint, IsLibTorchsWhereLibTorchComputes) {
  unsetenv("ONEDNN_MAX_CPU_ISA");
  config::Backbone backbone;
  backbone.engine = Engine::libtorch;
  const std::string plain = backbone_fingerprint(backbone, {});
  EXPECT_THAT(plain,
              HasSubstr(fmt::format("LibTorch {}; {}; kernels ", libtorch_version(), cpu_of_libraries())));
  setenv("ONEDNN_MAX_CPU_ISA", "AVX", 1);
  EXPECT_EQ(backbone_fingerprint(backbone, {}), plain + "; ONEDNN_MAX_CPU_ISA=AVX");
  backbone.engine = Engine::automatic;
  if (kernels::best_isa()) {
    EXPECT_EQ(backbone_fingerprint(backbone, {}), "winograd");
  }
  unsetenv("ONEDNN_MAX_CPU_ISA");
}

TEST(HeadsFingerprint, NamesLibTorchForItsLayersAlone) {
  using config::LayerKind;
  config::Config config;
  const auto with = [&](LayerKind kind) {
    config.heads.assign(2, {});
    config.heads[1].layers = {{LayerKind::linear, 8, 0}, {kind, 0, 0}, {LayerKind::linear, 3, 0}};
    return heads_fingerprint(config, {});
  };
  const std::string libtorch = "LibTorch " + libtorch_version();
  if (kernels::best_isa()) {
    for (const LayerKind kind :
         {LayerKind::relu, LayerKind::batchnorm, LayerKind::dropout, LayerKind::flatten})
      EXPECT_EQ(with(kind), "polyhead");
    const std::string both = fmt::format("polyhead {}; {}", kernels::name(*kernels::best_isa()), libtorch);
    for (const LayerKind kind : {LayerKind::gelu, LayerKind::tanh, LayerKind::layernorm})
      EXPECT_THAT(with(kind), StartsWith(both));
  }
  config.backbone.engine = Engine::libtorch;
  EXPECT_THAT(with(LayerKind::relu), StartsWith(libtorch));
}

TEST(EngineOf, WinogradIsRefusedWhereItCannotRun) {
  const auto [code, text] = testing::error_of([] {
    return engine_of(testing::backbone_of(config::Arch::resnet18, "", Engine::winograd), {true, 0, 1});
  });
  EXPECT_EQ(code, ExitCode::config);
  EXPECT_EQ(text, "backbone.engine is winograd, but it runs on a GPU; use auto or libtorch");
  EXPECT_EQ(engine_of(testing::backbone_of(config::Arch::resnet18, "", Engine::automatic), {true, 0, 1}),
            Engine::libtorch);
}

TEST(GpuModel, ComputesWhatTheCpuComputes) {
  if (device::device_count() == 0) GTEST_SKIP() << "no CUDA device";
  settle_environment();
  const Reference reference(config::Arch::resnet18, 32);
  const auto model = reference.model({true, 0, 1});
  const Values features = reference.features(*model, reference.images());
  const Values scores = Reference::scores(*model, features);
  EXPECT_LE(largest_difference(features, reference.expected_features()), 1e-4);
  EXPECT_LE(largest_difference(scores, reference.expected_logits()), 1e-4);
  EXPECT_EQ(reference.features(*model, reference.images()), features);
  EXPECT_EQ(Reference::scores(*model, features), scores);
  EXPECT_THAT(backbone_fingerprint({}, {true, 0, 1}), HasSubstr(device::query(0).name));
}

}  // namespace
}  // namespace polyhead::model
