#include "polyhead/model/layout.hpp"

#include <map>

#include <fmt/format.h>

#include "polyhead/base/aligned.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/shape.hpp"
#include "polyhead/model/head_spec.hpp"
#include "polyhead/resnet/spec.hpp"

namespace polyhead::model {
namespace {

constexpr std::int64_t kAlignedValues = kAlignment / sizeof(float);
constexpr std::int64_t kFloat = sizeof(float);
constexpr std::int64_t kMaxValues = std::int64_t{1} << 46U;  // limit without overflow, larger than any memory

class Builder {
 public:
  void add(std::string name, std::vector<std::int64_t> shape) {
    const auto count = checkpoint::element_count(shape);
    if (!count || *count > kMaxValues || layout_.values > kMaxValues) {
      throw Error(ExitCode::bad_data, fmt::format("{} would have shape {}: more than any machine's memory",
                                                  name, checkpoint::shape_text(shape)));
    }
    layout_.parameters.push_back({std::move(name), std::move(shape), layout_.values});
    layout_.values += (*count + kAlignedValues - 1) / kAlignedValues * kAlignedValues;
  }

  void add_conv(const resnet::ConvSpec& conv) {
    add(fmt::format("backbone.{}.weight", conv.name), conv.weight_shape());
    add(fmt::format("backbone.{}.bias", conv.name), {conv.shape.out});
  }

  void add_step(std::size_t head, const HeadStep& step) {
    const std::string name = fmt::format("heads.{}.{}", head, step.index);
    using config::LayerKind;
    if (step.kind == LayerKind::linear) {
      add(name + ".weight", {step.out, step.in});
    } else if (step.kind == LayerKind::batchnorm || step.kind == LayerKind::layernorm) {
      add(name + ".weight", {step.out});
    } else {
      return;
    }
    add(name + ".bias", {step.out});
  }

  Layout& layout() { return layout_; }

 private:
  Layout layout_;
};

/// Text "'a', 'b' and 7 more give 10".
std::string describe_group(std::int64_t width, const std::vector<std::string>& names) {
  constexpr std::size_t kMax = 10;
  std::vector<std::string> shown(names.begin(),
                                 names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kMax)));
  const std::string more =
      names.size() > kMax ? fmt::format(" and {} more", names.size() - kMax) : std::string();
  return fmt::format("{}{}: {}", join(shown), more, width);
}

std::int64_t common_width(const std::vector<config::Head>& heads, std::int64_t features) {
  std::map<std::int64_t, std::vector<std::string>> groups;
  for (const config::Head& head : heads) {
    groups[head_width(head, features)].push_back(fmt::format("'{}'", head.name));
  }
  if (groups.empty()) return 0;
  if (groups.size() == 1) return groups.begin()->first;
  std::vector<std::string> texts;
  texts.reserve(groups.size());
  for (const auto& [width, names] : groups) texts.push_back(describe_group(width, names));
  throw Error(
      ExitCode::bad_data,
      fmt::format("the heads must all give the same number of classes, but their last widths differ: {}",
                  join(texts, "; ")));
}

}  // namespace

Layout make_layout(const config::Config& config, const graph::Ensemble* members) {
  if (members != nullptr) return layout_of(*members);
  if (config.has_whole_members()) throw Error(ExitCode::internal, "the graphs of whole models are missing");
  const resnet::Spec spec = resnet::spec_of(config.backbone.arch);
  Builder builder;
  for (const resnet::ConvSpec& conv : convolutions(spec)) builder.add_conv(conv);
  builder.layout().feature_width = spec.feature_width;
  builder.layout().classes = common_width(config.heads, spec.feature_width);
  for (std::size_t k = 0; k < config.heads.size(); ++k) {
    builder.layout().head_begin.push_back(builder.layout().values);
    for (const HeadStep& step : head_steps(config.heads[k], spec.feature_width)) builder.add_step(k, step);
  }
  builder.layout().head_begin.push_back(builder.layout().values);
  return std::move(builder.layout());
}

Layout layout_of(const graph::Ensemble& members) {
  const graph::Graph& graph = members.graph;
  Builder builder;
  const auto add = [&](const std::string& of, const graph::Part& part) {
    for (const std::uint32_t index : part.constants) {
      const graph::Constant& constant = graph.constants[index];
      const std::int64_t values = (constant.bytes + kFloat - 1) / kFloat;
      builder.add(fmt::format("{}.{}.{}", of, constant.value, constant.name), {values});
    }
  };
  add("backbone", members.trunk);
  for (std::size_t k = 0; k < members.branches.size(); ++k) {
    builder.layout().head_begin.push_back(builder.layout().values);
    add(fmt::format("heads.{}", k), members.branches[k]);
  }
  builder.layout().head_begin.push_back(builder.layout().values);
  builder.layout().classes = members.classes();
  const std::int64_t row =
      static_cast<std::int64_t>(kAlignment) * graph.batch;  // each micro-batch's is aligned
  builder.layout().feature_width = (graph::cut_bytes(members) + row - 1) / row * kAlignedValues;
  return std::move(builder.layout());
}

}  // namespace polyhead::model
