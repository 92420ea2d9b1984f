#include "polyhead/model/load_weights.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "../checkpoint/support.hpp"
#include "polyhead/model/layout.hpp"
#include "random_files.hpp"

namespace polyhead::model {
namespace {

using config::LayerKind;
using testing::add_linear;
using ::testing::Contains;
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
  void save_head(const std::string& name, const checkpoint::Checkpoint& file) {
    static_cast<void>(folder_.write(name + ".safetensors", testing::safetensors(file)));
  }
  [[nodiscard]] config::Head head(const std::string& name, std::vector<config::Layer> layers) const {
    return testing::head_of(name, std::move(layers), folder_ / (name + ".safetensors"));
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
  checkpoint::Checkpoint backbone_;
  checkpoint::Checkpoint head_;
  config::Config config_;
  Findings notes_;
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
  EXPECT_THAT(notes_.notes, IsEmpty());
  EXPECT_THAT(notes_.warnings, IsEmpty());
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
  EXPECT_THAT(notes_.notes,
              ElementsAre(config_.backbone.weights.string() +
                          ": fc.weight, fc.bias are not used: polyhead takes the features before them"));
}

TEST_F(LoadWeights, SaysWhatStandsBesideTheBackbone) {
  backbone_.push_back(testing::random_tensor("projection_head.0.weight", {128, 512}));
  backbone_.push_back(testing::random_tensor("layer1.0.total_ops", {1}));
  save();
  load_weights(config_, notes_);
  EXPECT_THAT(notes_.notes, ElementsAre(config_.backbone.weights.string() +
                                        ": not used, as it stands beside the backbone: "
                                        "projection_head.0.weight [128, 512], layer1.0.total_ops [1]"));
}

TEST_F(LoadWeights, StrangersInsideTheBackboneMakeItAnotherOne) {
  for (const std::string name :
       {"layer1.0.se.fc1.weight", "layer5.0.conv1.weight", "conv2.weight", "gem.p"}) {
    backbone_.push_back(testing::random_tensor(name, {1}));
    save();
    EXPECT_THAT(refusal(), HasSubstr(name + " [1] is unexpected"));
    backbone_.pop_back();
  }
}

TEST_F(LoadWeights, WarnsOfWhatIsNeitherBackboneNorHead) {
  for (checkpoint::CheckpointTensor& tensor : head_) tensor.name = "head." + tensor.name;
  head_.push_back(testing::random_tensor("neck.weight", {512, 512}));
  save();
  config_.heads.push_back(config_.heads[0]);
  config_.heads[1].weight = 2;
  load_weights(config_, notes_);
  EXPECT_THAT(notes_.warnings,
              ::testing::Contains(
                  config_.heads[0].weights.string() +
                  ": 1 parameters outside 'head.' are not used, 'neck.weight' for one, and is none of a "
                  "backbone's: if it stands between backbone and head, the scores will be wrong; prefix: "
                  "'head.' at the head says that it does not; so it is in 1 more heads"));
  config_.heads[0].prefix = config_.heads[1].prefix = "head.";
  load_weights(config_, notes_);
  EXPECT_EQ(notes_.warnings.size(), 1U);  // of twins
  EXPECT_THAT(notes_.notes,
              ElementsAre(HasSubstr("1 parameters outside 'head.' are not used, 'neck.weight'")));
}

TEST_F(LoadWeights, ListsTheErrorsOfAllFiles) {
  backbone_.erase(backbone_.begin());
  testing::find(backbone_, "layer1.0.conv1.weight").shape = {64, 64, 9};
  save();
  checkpoint::Checkpoint narrow;
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
  checkpoint::Checkpoint file;
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

TEST_F(LoadWeights, EpsOfBatchNormsIsTheConfigurations) {
  config_.backbone.batchnorm_eps = 1e-3;
  const Weights weights = load_weights(config_, notes_);
  const double variance = testing::find(backbone_, "bn1.running_var").values[5];
  const double scale = testing::find(backbone_, "bn1.weight").values[5] / std::sqrt(variance + 1e-3);
  const double weight = testing::find(backbone_, "conv1.weight").values[5 * 147 + 3];
  EXPECT_EQ(values(weights, "backbone.conv1.weight")[5 * 147 + 3], static_cast<float>(weight * scale));
}

TEST_F(LoadWeights, EpsOfAHeadsBatchNorms) {
  testing::add_batch_norm(head_, "1", 10);
  save();
  config_.heads = {head("mlp", {linear(10), layer(LayerKind::batchnorm)})};
  config_.heads[0].batchnorm_eps = 0.5;
  const Weights weights = load_weights(config_, notes_);
  const double scale = testing::find(head_, "1.weight").values[4] /
                       std::sqrt(double{testing::find(head_, "1.running_var").values[4]} + 0.5);
  EXPECT_EQ(values(weights, "heads.0.0.weight")[4 * 512],
            static_cast<float>(head_[0].values[4 * 512] * scale));
}

TEST_F(LoadWeights, LinearLayersMayHaveNoBias) {
  head_.pop_back();
  save();
  const Weights weights = load_weights(config_, notes_);
  EXPECT_THAT(values(weights, "heads.0.0.bias"), ::testing::Each(0));
  EXPECT_THAT(notes_.notes, ElementsAre("head 'mlp' (" + config_.heads[0].weights.string() +
                                        "): layer 0 has no bias, as of bias=False"));
}

TEST_F(LoadWeights, LayerNormsMayHaveNoFactors) {
  save_head("mlp",
            head_ = {testing::random_tensor("1.weight", {10, 512}), testing::random_tensor("1.bias", {10})});
  config_.heads = {head("mlp", {layer(LayerKind::layernorm), linear(10)})};
  const Weights weights = load_weights(config_, notes_);
  EXPECT_THAT(values(weights, "heads.0.0.weight"), ::testing::Each(1));
  EXPECT_THAT(values(weights, "heads.0.0.bias"), ::testing::Each(0));
}

TEST_F(LoadWeights, WarnsOfTwins) {
  save_head("last", head_);
  config_.heads.push_back(head("last", {linear(10)}));
  load_weights(config_, notes_);
  EXPECT_THAT(notes_.warnings, ElementsAre("head 'mlp' (" + config_.heads[0].weights.string() +
                                           ") and head 'last' (" + config_.heads[1].weights.string() +
                                           ") hold the same weights: the fusion counts them 2 times"));
}

/// A float as half precision keeps it: 11 bits, fewer below 2^-14.
float rounded_to_half(float value) {
  int exponent = 0;
  std::frexp(value, &exponent);
  const int last_bit = std::max(exponent, -13) - 11;
  return std::ldexp(std::nearbyint(std::ldexp(value, -last_bit)), last_bit);
}

/// Heads whose files have a backbone, too.
class HeadWithTrunk : public LoadWeights {
 protected:
  void SetUp() override {
    LoadWeights::SetUp();
    whole_ = backbone_;
    add_linear(whole_, "fc", 512, 10);
    config_.heads = {head("whole", {linear(10)})};
  }
  void save_whole() { save_head("whole", whole_); }
  /// Of the saved head, and of `more` heads with the same file.
  std::string trunk_refusal(std::size_t more = 0) {
    save_whole();
    config_.heads.resize(1);
    for (std::size_t i = 0; i < more; ++i) config_.heads.push_back(config_.heads[0]);
    return refusal();
  }
  checkpoint::Checkpoint whole_;
};

TEST_F(HeadWithTrunk, TheSameOneIsNoNoise) {
  save_whole();
  const Weights weights = load_weights(config_, notes_);
  EXPECT_EQ(values(weights, "heads.0.0.bias")[3], testing::find(whole_, "fc.bias").values[3]);
  EXPECT_THAT(notes_.notes, IsEmpty());
  EXPECT_THAT(notes_.warnings, IsEmpty());
}

TEST_F(HeadWithTrunk, AnotherOneIsRefused) {
  whole_ = testing::random_resnet(config::Arch::resnet18);
  add_linear(whole_, "fc", 512, 10);
  const std::string text = trunk_refusal();
  EXPECT_THAT(text, HasSubstr("head 'whole' (" + config_.heads[0].weights.string() +
                              "): was trained on another backbone than the job's (" +
                              config_.backbone.weights.string() +
                              "): 100 of 100 parameters differ (conv1.weight, bn1.weight, bn1.bias and 97 "
                              "more)\none job computes one backbone"));
  EXPECT_THAT(text, HasSubstr("trunk: ignore at the head, or give --set 'heads[N].trunk=ignore'"));
  config_.heads[0].trunk = config::Trunk::ignore;
  load_weights(config_, notes_);
  EXPECT_THAT(notes_.notes, ElementsAre(HasSubstr("is not looked at (trunk: ignore)")));
}

TEST_F(HeadWithTrunk, DriftedStatisticsAreNamed) {
  testing::find(whole_, "layer1.0.bn1.running_var").values[0] += 0.25F;
  testing::find(whole_, "bn1.running_mean").values[7] += 0.25F;
  EXPECT_THAT(trunk_refusal(),
              HasSubstr("2 of 100 parameters differ, all of them running means and variances "
                        "(bn1.running_mean, layer1.0.bn1.running_var); the batch norms drifted"));
}

TEST_F(HeadWithTrunk, APartIsComparedAsFarAsItGoes) {
  std::erase_if(whole_, [](const checkpoint::CheckpointTensor& tensor) {
    return !tensor.name.starts_with("layer4.") && !tensor.name.starts_with("fc.");
  });
  save_whole();
  EXPECT_NO_THROW(load_weights(config_, notes_));
  testing::find(whole_, "layer4.1.conv2.weight").values[3] += 1;
  EXPECT_THAT(trunk_refusal(), HasSubstr("1 of 25 parameters differ (layer4.1.conv2.weight)"));
}

TEST_F(HeadWithTrunk, RoundedToHalfItIsTheSame) {
  for (checkpoint::CheckpointTensor& tensor : whole_) {
    for (float& value : tensor.values) value = rounded_to_half(value);
  }
  save_whole();
  EXPECT_NO_THROW(load_weights(config_, notes_));
  testing::find(whole_, "layer4.1.bn2.bias").values[3] *= 1.01F;
  EXPECT_THAT(trunk_refusal(), HasSubstr("1 of 100 parameters differ (layer4.1.bn2.bias)"));
}

TEST_F(HeadWithTrunk, OneCauseForManyHeadsIsNoWallOfText) {
  testing::find(whole_, "conv1.weight").values[0] += 1;
  const std::string text = trunk_refusal(9);
  EXPECT_EQ(std::ranges::count(text, '\n'), 4);
  EXPECT_THAT(text, HasSubstr("\nand 7 more heads were trained on another backbone\n"));
}

TEST_F(HeadWithTrunk, TheOneOfTheHeadsOwnPrefixCounts) {
  checkpoint::Checkpoint both;
  for (const checkpoint::CheckpointTensor& tensor : whole_) {
    both.push_back(tensor);
    both.back().name = "model." + tensor.name;
    if (tensor.name.starts_with("fc.")) continue;
    both.push_back(testing::random_tensor("ema." + tensor.name, tensor.shape));
  }
  whole_ = both;
  save_whole();
  EXPECT_NO_THROW(load_weights(config_, notes_));
}

/// What a file can be read as, and who decides.
using Readings = LoadWeights;

TEST_F(Readings, TwoPrefixesThatDifferAreRefused) {
  checkpoint::Checkpoint both;
  for (const char* prefix : {"encoder.", "backbone."}) {
    for (const checkpoint::CheckpointTensor& tensor : testing::random_resnet(config::Arch::resnet18)) {
      both.push_back(tensor);
      both.back().name = prefix + tensor.name;
    }
  }
  backbone_ = both;
  save();
  EXPECT_EQ(refusal(), "backbone resnet18 (" + config_.backbone.weights.string() +
                           "): can be read in 2 ways that give other values: say which with prefix: "
                           "'backbone.' or prefix: 'encoder.'");
  config_.backbone.prefix = "encoder";
  const Weights weights = load_weights(config_, notes_);
  EXPECT_THAT(notes_.notes, ElementsAre(HasSubstr("100 parameters outside 'encoder.' are not used")));
}

TEST_F(Readings, TwoNamingsThatDifferAreRefused) {
  checkpoint::Checkpoint both = backbone_;
  for (checkpoint::CheckpointTensor tensor : testing::random_resnet(config::Arch::resnet18)) {
    if (const std::size_t at = tensor.name.find("downsample"); at != std::string::npos)
      tensor.name.replace(at, std::string_view("downsample").size(), "shortcut");
    tensor.name.insert(0, "teacher.");
    for (float& value : tensor.values) value += 1;
    both.push_back(tensor);
  }
  backbone_ = both;
  save();
  EXPECT_THAT(refusal(),
              HasSubstr("can be read in 2 ways that give other values: say which with prefix: '' or "
                        "prefix: 'teacher.'"));
  config_.backbone.prefix = "teacher";
  const Weights weights = load_weights(config_, notes_);
  EXPECT_THAT(notes_.notes, Contains(HasSubstr("names are those of 'shortcut' for 'downsample'")));
}

TEST_F(Readings, TwoPrefixesWithTheSameValuesAreNoContradiction) {
  for (const checkpoint::CheckpointTensor& tensor : checkpoint::Checkpoint(backbone_)) {
    backbone_.push_back(tensor);
    backbone_.back().name = "encoder_k." + tensor.name;
  }
  save();
  load_weights(config_, notes_);
  EXPECT_THAT(notes_.notes,
              ::testing::Contains(HasSubstr("prefix: 'encoder_k.' would give the same values")));
}

TEST_F(Readings, APrefixThatDoesNotFitIsToldTheOneThatDoes) {
  for (checkpoint::CheckpointTensor& tensor : backbone_) tensor.name = "module.encoder_q." + tensor.name;
  save();
  load_weights(config_, notes_);
  EXPECT_THAT(notes_.notes,
              ElementsAre(config_.backbone.weights.string() + ": found under prefix: 'module.encoder_q.'"));
  config_.backbone.prefix = "module.";
  EXPECT_EQ(refusal(), "backbone resnet18 (" + config_.backbone.weights.string() +
                           "): does not fit with prefix: 'module.', but with prefix: 'module.encoder_q.'");
}

TEST_F(Readings, WrappersInTheMiddleOfNamesAreTakenOut) {
  for (checkpoint::CheckpointTensor& tensor : backbone_) {
    if (tensor.name.starts_with("layer1.")) tensor.name.insert(7, "_orig_mod.");
  }
  save();
  EXPECT_NO_THROW(load_weights(config_, notes_));
}

TEST_F(Readings, RenamesDecide) {
  head_[0].name = "fc1.weight";
  head_[1].name = "fc1.bias";
  add_linear(head_, "fc2", 10, 10);
  add_linear(head_, "fc3", 10, 10);
  save();
  config_.heads = {head("mlp", {linear(10), linear(10), linear(10)})};
  EXPECT_THAT(refusal(),
              HasSubstr("its modules can be the head's layers in more than one way: fc1, fc2, fc3; "
                        "say which is which with rename:"));
  config_.heads[0].rename = {{"fc1", "0"}, {"fc2", "2"}, {"fc3", "1"}};
  const Weights weights = load_weights(config_, notes_);
  EXPECT_EQ(values(weights, "heads.0.1.bias")[3], testing::find(head_, "fc3.bias").values[3]);
}

TEST_F(Readings, LayersUnderOtherNamesInOneOrder) {
  head_.clear();
  add_linear(head_, "fc1", 512, 32);
  testing::add_batch_norm(head_, "norm", 32);
  add_linear(head_, "fc2", 32, 10);
  save();
  config_.heads = {
      head("mlp", {linear(32), layer(LayerKind::batchnorm), layer(LayerKind::relu), linear(10)})};
  const Weights weights = load_weights(config_, notes_);
  EXPECT_EQ(values(weights, "heads.0.3.bias")[3], testing::find(head_, "fc2.bias").values[3]);
  EXPECT_THAT(notes_.notes, ElementsAre(HasSubstr("names are those of fc1 for 0, norm for 1, fc2 for 3")));
  config_.heads = {head("mlp", {linear(32), layer(LayerKind::relu), linear(10)})};
  EXPECT_THAT(refusal(), HasSubstr("norm.bias [32]"));
}

TEST_F(Readings, LayersInAnotherOrderThanTheFilesAreRefused) {
  head_.clear();
  head_.push_back(testing::random_tensor("a.weight", {512}));
  head_.push_back(testing::random_tensor("a.bias", {512}));
  add_linear(head_, "b", 512, 512);
  add_linear(head_, "c", 512, 10);
  save();
  config_.heads = {head("mlp", {linear(512), layer(LayerKind::layernorm), linear(10)})};
  EXPECT_THAT(refusal(), HasSubstr("in more than one way"));
  config_.heads = {head("mlp", {layer(LayerKind::layernorm), linear(512), linear(10)})};
  EXPECT_NO_THROW(load_weights(config_, notes_));
}

TEST_F(Readings, ALinearHeadHasAnyName) {
  for (const std::string name : {"", "fc.", "model.fc.", "head.fc.", "classifier.1.", "linear.", "fc.1."}) {
    head_[0].name = name + "weight";
    head_[1].name = name + "bias";
    save();
    const Weights weights = load_weights(config_, notes_);
    EXPECT_EQ(values(weights, "heads.0.0.bias")[3], head_[1].values[3]) << name;
  }
}

TEST_F(Readings, WhatElseStandsBesideALinearHeadIsAsked) {
  head_.clear();
  add_linear(head_, "fc", 512, 10);
  head_.push_back(testing::random_tensor("temperature", {1}));
  save();
  EXPECT_THAT(refusal(),
              HasSubstr("'fc.' fits, but the file holds more that is neither the backbone nor this "
                        "head: temperature [1]. If it belongs to the head, name its layers; if "
                        "not, say prefix: 'fc.'"));
  config_.heads[0].prefix = "fc.";
  EXPECT_NO_THROW(load_weights(config_, notes_));
}

TEST_F(Readings, WhatIsTooMuchBesideTheRightNamesIsNamed) {
  add_linear(head_, "2", 10, 10);
  head_.push_back(testing::random_tensor("temperature", {1}));
  save();
  config_.heads = {head("mlp", {linear(10), layer(LayerKind::relu), linear(10)})};
  EXPECT_EQ(refusal(),
            "head 'mlp' (" + config_.heads[0].weights.string() + "): temperature [1] is unexpected");
}

TEST_F(Readings, SeveralHeadsInOneFileNeedAPrefix) {
  head_.clear();
  for (int i = 0; i < 3; ++i) add_linear(head_, fmt::format("heads.{}", i), 512, 10);
  save();
  EXPECT_THAT(refusal(), HasSubstr("can be read in 3 ways that give other values: say which with prefix: "
                                   "'heads.0.' or prefix: 'heads.1.' or prefix: 'heads.2.'; prefix: "
                                   "'heads.*.' gives a head for each"));
  config_.heads[0].prefix = "heads.*.";
  complete_heads(config_);
  ASSERT_EQ(config_.heads.size(), 3U);
  EXPECT_EQ(config_.heads[2].name, "mlp.2");
  EXPECT_EQ(config_.heads[2].prefix, "heads.2.");
  const Weights weights = load_weights(config_, notes_);
  EXPECT_EQ(values(weights, "heads.2.0.bias")[3], testing::find(head_, "heads.2.bias").values[3]);
}

TEST_F(Readings, AStarThatMatchesNothing) {
  config_.heads[0].prefix = "heads.*.";
  const auto [code, text] = testing::error_of([&] {
    complete_heads(config_);
    return 0;
  });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_EQ(text, "head 'mlp': " + config_.heads[0].weights.string() +
                      ": no name starts with prefix 'heads.*.', in which * stands for one part of a name "
                      "without dots");
}

TEST_F(Readings, NamesThatAStarGivesMustBeUsable) {
  head_.clear();
  for (const char* name : {"a", "b"})
    add_linear(head_, fmt::format("heads.{}{}", std::string(60, 'x'), name), 512, 10);
  save();
  config_.heads[0].prefix = "heads.*.";
  const auto [code, text] = testing::error_of([&] {
    complete_heads(config_);
    return 0;
  });
  EXPECT_EQ(code, ExitCode::config);
  EXPECT_THAT(text, HasSubstr("its name is longer than 63 bytes; give it a shorter one"));
}

TEST_F(Readings, LayersThatAreLeftOutAreFound) {
  config_.heads[0].layers.clear();
  complete_heads(config_);
  EXPECT_THAT(config_.heads[0].layers, ElementsAre(linear(10)));
  add_linear(head_, "2", 10, 10);
  save();
  config_.heads[0].layers.clear();
  const auto [code, text] = testing::error_of([&] {
    complete_heads(config_);
    return 0;
  });
  EXPECT_EQ(code, ExitCode::bad_data);
  EXPECT_THAT(text, HasSubstr("leaves more than one reading of its layers: it looks like layers: [linear 10, "
                              "linear 10]; write that under the head"));
}

TEST_F(Readings, OtherLibrariesNames) {
  const auto renamed = [&](const std::string& from, const std::string& to) {
    for (checkpoint::CheckpointTensor& tensor : backbone_) {
      if (const std::size_t at = tensor.name.find(from); at != std::string::npos)
        tensor.name.replace(at, from.size(), to);
    }
  };
  renamed("downsample", "shortcut");
  add_linear(backbone_, "linear", 512, 10);
  save();
  load_weights(config_, notes_);
  EXPECT_THAT(notes_.notes, ElementsAre(HasSubstr("linear.weight [10, 512], linear.bias [10]"),
                                        HasSubstr("names are those of 'shortcut' for 'downsample'")));
  testing::find(backbone_, "conv1.weight") = testing::random_tensor("conv1.weight", {64, 3, 3, 3});
  save();
  EXPECT_THAT(refusal(), HasSubstr("conv1.weight has shape [64, 3, 3, 3], expected [64, 3, 7, 7]: a 3x3 stem "
                                   "without max pooling"));
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
