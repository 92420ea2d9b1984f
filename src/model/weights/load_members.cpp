#include "polyhead/model/load_members.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "model/graph/interpreter.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/checkpoint/checkpoint.hpp"
#include "polyhead/checkpoint/exported_program.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/shape.hpp"
#include "polyhead/graph/resnet.hpp"
#include "polyhead/model/layout.hpp"

namespace polyhead::model {
namespace {

namespace exported = checkpoint::exported;

constexpr std::int64_t kLeastBatch = 16;

/// Batch of the job's graphs.
std::int64_t batch_of(const config::Config& config, std::int64_t otherwise) {
  std::int64_t batch = config.parallel.batch.value_or(static_cast<int>(otherwise));
  for (const config::Head& member : config.heads) {
    if (config.parallel.batch || member.program.empty()) continue;
    if (const auto fixed = graph::fixed_batch(exported::Archive(member.program))) batch = *fixed;
  }
  if (batch >= kLeastBatch) return batch;
  throw Error(
      ExitCode::config,
      fmt::format(
          "members that are whole models are computed in micro-batches of at least {}, not {}: in smaller "
          "ones LibTorch's bits depend on the number of threads. Set parallel.batch, and export with a batch "
          "of any size: dynamic_shapes=({{0: torch.export.Dim('batch', min=2)}},)",
          kLeastBatch, batch));
}

const graph::ResNet& architecture_of(const config::Head& member) {
  try {
    return graph::resnet(member.arch);
  } catch (const Error& error) {
    throw Error(ExitCode::config,
                fmt::format("member '{}': {}; export others with torch.export.save, and give the "
                            "file as program",
                            member.name, error.what()));
  }
}

graph::Graph graph_of_program(const config::Head& member, ImageShape image, std::int64_t batch) {
  const exported::Archive archive(member.program);
  graph::Graph graph = graph::read_graph(archive, batch);
  if (graph.batch != batch) {
    checkpoint::bad_data(
        member.program,
        fmt::format(
            "was exported for batches of {0} samples, and the job's have {1}: set parallel.batch: {0}, or "
            "export it with a batch of any size: dynamic_shapes=({{0: torch.export.Dim('batch', min=2)}},)",
            graph.batch, batch));
  }
  const graph::Tensor& input = graph.values[graph.inputs.front()];
  const std::vector<std::int64_t> wanted{batch, 3, image.height, image.width};
  if (input.type != checkpoint::ElementType::f32)
    checkpoint::bad_data(member.program,
                         "takes images that are not fp32: export a model that takes what torchvision's "
                         "Normalize gives");
  if (input.shape != wanted) {
    checkpoint::bad_data(
        member.program,
        fmt::format("takes batches of images of shape {}, and data.preprocess gives {}: set resize "
                    "and crop to what the model was trained with",
                    checkpoint::shape_text(input.shape), checkpoint::shape_text(wanted)));
  }
  check_operators(member.program, graph);
  return graph;
}

graph::Graph graph_of(const config::Head& member, ImageShape image, std::int64_t batch) {
  if (!member.program.empty()) return graph_of_program(member, image, batch);
  const checkpoint::Checkpoint weights = checkpoint::read_checkpoint(member.weights, member.key);
  return graph::resnet_graph(architecture_of(member), member.weights, weights,
                             {image.height, image.width, batch, member.batchnorm_eps});
}

/// Puts constants into their places, each once.
class Loading {
 public:
  Loading(const graph::Ensemble& ensemble, const Layout& layout, std::span<float> values)
      : graph_(ensemble.graph), values_(values) {
    std::size_t next = 0;
    const auto add = [&](const graph::Part& part) {
      for (const std::uint32_t index : part.constants) {
        const graph::Constant& constant = graph_.constants[index];
        places_[constant.content] = {constant.value, layout.parameters.at(next++).offset};
      }
    };
    add(ensemble.trunk);
    for (const graph::Part& branch : ensemble.branches) add(branch);
  }

  void load(const config::Head& member, const std::vector<graph::Constant>& constants) {
    if (std::ranges::none_of(constants, [&](const auto& each) { return is_wanted(each); })) return;
    if (!member.program.empty()) {
      const exported::Archive archive(member.program);
      for (const graph::Constant& constant : constants)
        if (is_wanted(constant)) put(member, constant, archive.read(constant.name).bytes);
      return;
    }
    const checkpoint::Checkpoint weights = checkpoint::read_checkpoint(member.weights, member.key);
    std::map<std::string_view, std::span<const float>> tensors;
    for (const checkpoint::CheckpointTensor& tensor : weights) tensors[tensor.name] = tensor.values;
    for (const graph::Constant& constant : constants)
      if (is_wanted(constant)) put(member, constant, std::as_bytes(tensors[constant.name]));
  }

 private:
  struct Place {
    graph::Value value = 0;
    std::int64_t offset = 0;
  };

  [[nodiscard]] bool is_wanted(const graph::Constant& constant) const {
    return places_.contains(constant.content);
  }

  void put(const config::Head& member, const graph::Constant& constant, std::span<const std::byte> bytes) {
    const auto found = places_.find(constant.content);
    if (graph::content_of(graph_.values[found->second.value], bytes) != constant.content)
      checkpoint::bad_data(member.file(), "has changed while it was read");
    if (!bytes.empty()) std::memcpy(values_.data() + found->second.offset, bytes.data(), bytes.size());
    places_.erase(found);
  }

  const graph::Graph& graph_;
  std::span<float> values_;
  std::map<Digest, Place> places_;  ///< of constants that are not loaded yet
};

}  // namespace

Members read_members(const config::Config& config, ImageShape image, std::int64_t batch) {
  const std::int64_t chosen = batch_of(config, batch);
  std::vector<graph::NamedGraph> graphs;
  for (const config::Head& member : config.heads)
    graphs.push_back({member.name, graph_of(member, image, chosen)});
  Members members;
  members.ensemble = std::make_shared<graph::Ensemble>(graph::merge(graphs));
  members.sharing = graph::find_sharing(graphs);
  for (graph::NamedGraph& member : graphs) members.constants.push_back(std::move(member.graph.constants));
  return members;
}

Weights load_members(const config::Config& config, const Members& members) {
  const graph::Ensemble& ensemble = *members.ensemble;
  Layout layout = layout_of(ensemble);
  Weights weights;
  weights.values.resize(static_cast<std::size_t>(layout.values));
  Loading loading(ensemble, layout, weights.values);
  for (std::size_t k = 0; k < config.heads.size(); ++k) loading.load(config.heads[k], members.constants[k]);
  weights.parameters = std::move(layout.parameters);
  weights.feature_width = layout.feature_width;
  weights.classes = layout.classes;
  weights.members = members.ensemble;
  return weights;
}

}  // namespace polyhead::model
