#include "expected.hpp"

namespace polyhead::model {
namespace {

constexpr const char* kStemHint =
    "a 3x3 stem without max pooling, as ResNets for small images (CIFAR) have it, is another network, which "
    "polyhead does not compute";

enum class Affine { required, optional };

void add_batch_norm(std::vector<ExpectedParameter>& expected, const std::string& name, std::int64_t width,
                    Affine affine, const std::string& hint) {
  const std::string weight = name + ".weight";
  const std::string bias = name + ".bias";
  const bool optional = affine == Affine::optional;
  expected.push_back({weight, {width}, hint, optional ? bias : ""});
  expected.push_back({bias, {width}, hint, optional ? weight : ""});
  expected.push_back({name + ".running_mean", {width}, hint, ""});
  expected.push_back({name + ".running_var", {width}, hint, ""});
}

void add_step(std::vector<ExpectedParameter>& expected, const HeadStep& step, const std::string& hint) {
  using config::LayerKind;
  const std::string name = std::to_string(step.index);
  if (step.kind == LayerKind::linear) {
    expected.push_back({name + ".weight", {step.out, step.in}, hint, ""});
    expected.push_back({name + ".bias", {step.out}, "", "", true});
  } else if (step.kind == LayerKind::layernorm) {
    expected.push_back({name + ".weight", {step.out}, hint, name + ".bias"});
    expected.push_back({name + ".bias", {step.out}, hint, name + ".weight"});
  } else if (step.kind == LayerKind::batchnorm) {
    add_batch_norm(expected, name, step.out, Affine::optional, hint);
  }
  if (step.batch_norm) {
    add_batch_norm(expected, std::to_string(*step.batch_norm), step.out, Affine::optional, "");
  }
}

}  // namespace

std::vector<ExpectedParameter> expected_of(const resnet::Spec& spec) {
  std::vector<ExpectedParameter> expected;
  for (const resnet::ConvSpec& conv : convolutions(spec)) {
    const bool stem = conv.name == spec.stem.name;
    expected.push_back({conv.name + ".weight", conv.weight_shape(), stem ? kStemHint : "", ""});
    add_batch_norm(expected, conv.batch_norm, conv.shape.out, Affine::required, "");
  }
  return expected;
}

std::vector<ExpectedParameter> expected_of(const std::vector<HeadStep>& steps, const std::string& hint) {
  std::vector<ExpectedParameter> expected;
  bool on_features = true;  // until the first linear layer, widths follow from the backbone
  for (const HeadStep& step : steps) {
    add_step(expected, step, on_features ? hint : "");
    on_features = on_features && step.kind != config::LayerKind::linear;
  }
  return expected;
}

}  // namespace polyhead::model
