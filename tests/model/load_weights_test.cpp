#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "polyhead/model/layout.hpp"
#include "polyhead/model/weights.hpp"
#include "random_files.hpp"
#include "support.hpp"

namespace polyhead::model {
namespace {

using config::LayerKind;
using testing::add_linear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::layer;
using testing::linear;

/// A folder with a ResNet-18 and the head "0.weight", "0.bias" of 10 classes.
class LoadWeights : public ::testing::Test {
 protected:
  void SetUp() override {
    backbone_ = testing::random_resnet(config::Arch::resnet18);
    add_linear(head_, "0", 512, 10);
    config_.heads = {head("mlp", {linear(10)})};
    save();
  }

  void save() {
    config_.backbone.weights = folder_.write("backbone.safetensors", testing::safetensors(backbone_));
    save_head("mlp", head_);
  }
  void save_head(const std::string& name, const Checkpoint& file) {
    static_cast<void>(folder_.write(name + ".safetensors", testing::safetensors(file)));
  }
  [[nodiscard]] config::Head head(const std::string& name, std::vector<config::Layer> layers) const {
    return {name, "", std::move(layers), folder_ / (name + ".safetensors"), 1.0};
  }

  std::string refusal(ExitCode expected = ExitCode::bad_data) {
    const auto [code, text] = testing::error_of([&] { return load_weights(config_, notes_); });
    EXPECT_EQ(code, expected) << text;
    return text;
  }
  static std::span<const float> values(const Weights& weights, const std::string& name) {
    for (const Parameter& parameter : weights.parameters) {
      if (parameter.name != name) continue;
      return std::span(weights.values).subspan(parameter.offset, parameter.elements());
    }
    ADD_FAILURE() << name;
    return {};
  }

  testing::TemporaryFolder folder_;
  Checkpoint backbone_;
  Checkpoint head_;
  config::Config config_;
  Notes notes_;
};

TEST_F(LoadWeights, PacksAsTheLayoutSays) {
  const Weights weights = load_weights(config_, notes_);
  const Layout layout = make_layout(config_);
  EXPECT_EQ(weights.feature_width, 512);
  EXPECT_EQ(weights.classes, 10);
  EXPECT_EQ(static_cast<std::int64_t>(weights.values.size()), layout.values);
  EXPECT_EQ(weights.parameters.size(), layout.parameters.size());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(weights.values.data()) % kAlignment, 0U);
  const auto packed = values(weights, "heads.0.0.weight");
  EXPECT_TRUE(std::equal(packed.begin(), packed.end(), head_[0].values.begin(), head_[0].values.end()));
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(LoadWeights, FoldsBatchNormsInDoublePrecision) {
  const Weights weights = load_weights(config_, notes_);
  const auto value = [&](const char* name) { return double{testing::find(backbone_, name).values[5]}; };
  const double scale = value("bn1.weight") / std::sqrt(value("bn1.running_var") + 1e-5);
  const double weight = testing::find(backbone_, "conv1.weight").values[5 * 147 + 3];
  EXPECT_EQ(values(weights, "backbone.conv1.weight")[5 * 147 + 3], static_cast<float>(weight * scale));
  EXPECT_EQ(values(weights, "backbone.conv1.bias")[5],
            static_cast<float>(value("bn1.bias") - value("bn1.running_mean") * scale));
}

TEST_F(LoadWeights, LeavesTheClassifierOutAndSaysSo) {
  backbone_.push_back(testing::random_tensor("fc.weight", {7, 512}));
  backbone_.push_back(testing::random_tensor("fc.bias", {7}));
  backbone_.push_back(testing::random_tensor("bn1.num_batches_tracked", {}));
  save();
  load_weights(config_, notes_);
  EXPECT_THAT(notes_,
              ElementsAre(config_.backbone.weights.string() +
                          ": fc.weight, fc.bias are not used: polyhead takes the features before them"));
}

TEST_F(LoadWeights, SaysWhatStandsOutsideThePrefix) {
  for (CheckpointTensor& tensor : head_) tensor.name = "head." + tensor.name;
  head_.push_back(testing::random_tensor("backbone.conv1.weight", {1}));
  save();
  config_.heads.push_back(config_.heads[0]);
  load_weights(config_, notes_);
  EXPECT_THAT(notes_, ElementsAre(config_.heads[0].weights.string() +
                                  ": 1 parameters outside 'head.' are not used, 'backbone.conv1.weight' for "
                                  "one; so it is in 1 more heads"));
}

TEST_F(LoadWeights, ListsTheErrorsOfAllFiles) {
  backbone_.erase(backbone_.begin());
  testing::find(backbone_, "layer1.0.conv1.weight").shape = {64, 64, 9};
  save();
  Checkpoint narrow;
  add_linear(narrow, "0", 128, 256);
  add_linear(narrow, "2", 256, 10);
  narrow.push_back(testing::random_tensor("3.weight", {1}));
  save_head("narrow", narrow);
  config_.heads.push_back(head("narrow", {linear(256), layer(LayerKind::relu), linear(10)}));
  config_.heads.push_back(head("absent", {linear(10)}));
  const std::string base = folder_.path().string();
  EXPECT_EQ(refusal(), "backbone resnet18 (" + base +
                           "/backbone.safetensors): conv1.weight is missing, expected shape [64, 3, "
                           "7, 7]\n"
                           "backbone resnet18 (" +
                           base +
                           "/backbone.safetensors): layer1.0.conv1.weight has shape [64, 64, 9], "
                           "expected [64, 64, 3, 3]\n"
                           "head 'narrow' (" +
                           base +
                           "/narrow.safetensors): 0.weight has shape [256, 128], expected [256, 512]: "
                           "the backbone resnet18 gives 512 features\n"
                           "head 'narrow' (" +
                           base +
                           "/narrow.safetensors): 3.weight [1] is unexpected\n"
                           "head 'absent': " +
                           base + "/absent.safetensors: cannot be read: No such file or directory");
}

TEST_F(LoadWeights, OnlyMissingFilesAreMissingInput) {
  config_.heads = {head("absent", {linear(10)})};
  EXPECT_THAT(refusal(ExitCode::no_input), HasSubstr("absent.safetensors: cannot be read"));
}

TEST_F(LoadWeights, ThousandsOfErrorsAreCut) {
  config_.heads.assign(150, head("absent", {linear(10)}));
  EXPECT_THAT(refusal(ExitCode::no_input), HasSubstr("\nand 50 more"));
}

TEST_F(LoadWeights, SuggestsTheArchitectureThatFits) {
  config_.backbone.arch = config::Arch::resnet34;
  EXPECT_THAT(refusal(), HasSubstr(config_.backbone.weights.string() + " fits backbone.arch: resnet18"));
}

TEST_F(LoadWeights, RefusesValuesThatAreNotFinite) {
  testing::find(backbone_, "layer2.0.conv1.weight").values[7] = std::numeric_limits<float>::quiet_NaN();
  testing::find(backbone_, "bn1.running_var").values[3] = -1;
  head_[1].values[2] = std::numeric_limits<float>::infinity();
  save();
  const std::string text = refusal();
  EXPECT_THAT(text,
              HasSubstr("layer2.0.conv1.weight holds nan (element 7 of 73728), expected finite values only"));
  EXPECT_THAT(text,
              HasSubstr("bn1.running_var holds -1 (element 3 of 64), expected finite values that are not "
                        "negative"));
  EXPECT_THAT(text, HasSubstr("head 'mlp' (" + (folder_ / "mlp.safetensors").string() +
                              "): 0.bias holds inf (element 2 of 10)"));
}

TEST_F(LoadWeights, RefusesFoldsThatOverflow) {
  testing::find(backbone_, "bn1.weight").values[0] = 3e38F;
  testing::find(backbone_, "bn1.running_var").values[0] = 0;
  save();
  EXPECT_EQ(refusal(), "backbone.conv1.weight: folding the batch norm into it overflows fp32");
}

TEST_F(LoadWeights, BatchNormsMayHaveNoFactors) {
  Checkpoint file;
  add_linear(file, "0", 512, 10);
  file.push_back(testing::random_tensor("1.running_mean", {10}));
  file.push_back(testing::random_tensor("1.running_var", {10}));
  save_head("plain", file);
  config_.heads = {head("plain", {linear(10), layer(LayerKind::batchnorm)})};
  const Weights weights = load_weights(config_, notes_);
  const double scale = 1 / std::sqrt(double{file[3].values[4]} + 1e-5);
  EXPECT_EQ(values(weights, "heads.0.0.bias")[4],
            static_cast<float>(file[1].values[4] * scale - file[2].values[4] * scale));
  file.push_back(testing::random_tensor("1.weight", {10}));
  save_head("plain", file);
  EXPECT_THAT(refusal(), HasSubstr("1.bias is missing, expected shape [10]"));
}

TEST_F(LoadWeights, HeadsThatDifferInClasses) {
  config_.heads.push_back(head("other", {linear(12)}));
  EXPECT_THAT(refusal(), HasSubstr("'mlp': 10; 'other': 12"));
}

TEST_F(LoadWeights, MoreThanTheMemoryHolds) {
  config_.heads = {head("mlp", {linear(std::int64_t{1} << 36U)})};
  EXPECT_THAT(refusal(),
              HasSubstr("the weights of the backbone and the heads take 128.3 TiB, but this machine has "));
}

TEST_F(LoadWeights, TenThousandHeads) {
  config_.heads.assign(10'000, config_.heads[0]);
  const Weights weights = load_weights(config_, notes_);
  EXPECT_EQ(weights.parameters.back().name, "heads.9999.0.bias");
  const auto last = values(weights, "heads.9999.0.bias");
  EXPECT_TRUE(std::equal(last.begin(), last.end(), head_[1].values.begin()));
}

}  // namespace
}  // namespace polyhead::model
