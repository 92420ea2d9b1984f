#include "polyhead/graph/ensemble.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "memories.hpp"
#include "operators.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/shape.hpp"
#include "polyhead/graph/cost.hpp"
#include "polyhead/graph/identity.hpp"

namespace polyhead::graph {
namespace {

constexpr std::size_t kMaxDimensions = std::tuple_size_v<CutForm::Strides>;

/// Users of a node or a constant: members, ascending, each once.
using Users = std::vector<std::uint32_t>;

void use(Users& users, std::size_t member) {
  const auto number = static_cast<std::uint32_t>(member);
  if (users.empty() || users.back() != number) users.push_back(number);
}

/// Number of classes of a member. Throws where its output is no table of scores.
std::int64_t classes_of(const NamedGraph& member) {
  const Tensor& scores = member.graph.values[member.graph.outputs.front()];
  if (scores.shape.size() == 2 && scores.shape[0] == member.graph.batch) return scores.shape[1];
  throw Error(ExitCode::bad_data,
              fmt::format("{} returns {}: a member returns scores of {} images, [{}, classes]", member.name,
                          checkpoint::shape_text(scores.shape), member.graph.batch, member.graph.batch));
}

void check_classes(const std::vector<NamedGraph>& members) {
  const std::int64_t wanted = classes_of(members.front());
  for (const NamedGraph& member : members) {
    if (const std::int64_t given = classes_of(member); given != wanted)
      throw Error(ExitCode::bad_data, fmt::format("{} gives {} classes, {} gives {}: members of an ensemble "
                                                  "tell the same classes apart",
                                                  members.front().name, wanted, member.name, given));
  }
}

void check_writes(const NamedGraph& member) {
  const Graph& graph = member.graph;
  const std::vector<Value> memory = memories(graph);
  std::set<Value> given(graph.inputs.begin(), graph.inputs.end());
  for (const Constant& constant : graph.constants) given.insert(constant.value);
  for (const Node& node : graph.nodes) {
    const std::optional<Value> target = writes(node) ? first_input(node) : std::nullopt;
    if (!target || !given.contains(memory[*target])) continue;
    throw Error(ExitCode::bad_data,
                fmt::format("{}: {} at '{}' writes into the model's {}: the next images "
                            "would be computed with others; export a model that does not",
                            member.name, node.op, node.module,
                            memory[*target] == graph.inputs.front() ? "input" : "weights"));
  }
}

/// Puts member after member into one graph.
class Merging {
 public:
  explicit Merging(const std::vector<NamedGraph>& members) : members_(members) {
    const Graph& first = members.front().graph;
    merged_.batch = first.batch;
    merged_.inputs = {add(first.values[first.inputs.front()])};
    for (std::size_t k = 0; k < members.size(); ++k) add_member(k);
  }

  Ensemble finish() {
    Ensemble ensemble;
    ensemble.graph = std::move(merged_);
    ensemble.branches.resize(members_.size());
    divide(ensemble);
    return ensemble;
  }

 private:
  Value add(const Tensor& tensor) {
    merged_.values.push_back(tensor);
    return static_cast<Value>(merged_.values.size() - 1);
  }

  void add_member(std::size_t k) {
    const Graph& graph = members_[k].graph;
    const std::vector<Digest> digests = identities(graph);
    std::vector<Value> merged(graph.values.size());
    merged[graph.inputs.front()] = merged_.inputs.front();
    for (const Constant& constant : graph.constants) merged[constant.value] = add_constant(graph, constant);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const auto [found, is_new] = nodes_.emplace(digests[i], merged_.nodes.size());
      if (is_new) add_node(graph, graph.nodes[i], merged);
      const Node& node = merged_.nodes[found->second];
      for (std::size_t o = 0; o < node.outputs.size(); ++o)
        if (graph.nodes[i].outputs[o]) merged[*graph.nodes[i].outputs[o]] = *node.outputs[o];
      use(users_[found->second], k);
    }
    merged_.outputs.push_back(merged[graph.outputs.front()]);
  }

  Value add_constant(const Graph& graph, const Constant& constant) {
    const auto [found, is_new] = constants_.emplace(constant.content, 0);
    if (is_new) {
      found->second = add(graph.values[constant.value]);
      merged_.constants.push_back({found->second, constant.name, constant.content, constant.bytes});
    }
    return found->second;
  }

  void add_node(const Graph& graph, const Node& node, const std::vector<Value>& merged) {
    Node copy = node;
    for (auto& [name, argument] : copy.arguments) {
      if (auto* value = std::get_if<Value>(&argument)) *value = merged[*value];
      if (auto* values = std::get_if<Values>(&argument)) {
        for (auto& value : *values)
          if (value) value = merged[*value];
      }
    }
    const bool in_place = writes(node);
    for (auto& output : copy.outputs)
      if (output) output = in_place ? merged[*output] : add(graph.values[*output]);
    merged_.nodes.push_back(std::move(copy));
    users_.emplace_back();
  }

  /// Decides which part computes a node, and what passes between them.
  void divide(Ensemble& ensemble) {
    const Graph& graph = ensemble.graph;
    memory_ = memories(graph);
    changing_ = depends_on_inputs(graph);
    find_trunk(graph);
    std::vector<bool> in_trunk(graph.values.size(), false);
    for (const Value input : graph.inputs) in_trunk[input] = true;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      if (!trunk_[i]) continue;
      ensemble.trunk.nodes.push_back(static_cast<std::uint32_t>(i));
      for (const auto& output : graph.nodes[i].outputs)
        if (output && changing_[i]) in_trunk[*output] = true;
    }
    std::set<Value> cut;
    for (std::size_t k = 0; k < members_.size(); ++k) {
      ensemble.branches[k].nodes = branch_of(graph, k);
      const auto take = [&](Value value) {
        if (in_trunk[value]) cut.insert(value);
      };
      for (const std::uint32_t node : ensemble.branches[k].nodes) for_each_value(graph.nodes[node], take);
      take(graph.outputs[k]);
    }
    ensemble.cut.assign(cut.begin(), cut.end());
    for (const Value value : ensemble.cut) {
      if (graph.values[value].shape.size() > kMaxDimensions)
        throw Error(ExitCode::bad_data,
                    fmt::format("members share a tensor of {} dimensions; {} can be passed on",
                                graph.values[value].shape.size(), kMaxDimensions));
    }
    divide_constants(ensemble);
  }

  /// Nodes that several members need, but for views at the end, which cost nothing: what passes on are then
  /// whole tensors, in the layout in which they were made.
  void find_trunk(const Graph& graph) {
    trunk_.resize(graph.nodes.size());
    std::vector<bool> needed(graph.values.size(), false);  // by a node of the trunk that is computed
    std::set<Value> written;
    for (const Node& node : graph.nodes)
      if (const auto target = first_input(node); writes(node) && target) written.insert(memory_[*target]);
    for (std::size_t i = graph.nodes.size(); i-- > 0;) {
      const Node& node = graph.nodes[i];
      if (users_[i].size() < 2) continue;
      const auto source = first_input(node);
      const bool view = may_alias(node) && source && !written.contains(memory_[*source]);
      const bool used = std::ranges::any_of(node.outputs, [&](const auto& o) { return o && needed[*o]; });
      trunk_[i] = !view || used;
      if (trunk_[i]) for_each_value(node, [&](Value value) { needed[value] = true; });
    }
  }

  /// Nodes of member k outside the trunk, and what they need that does not depend on images.
  [[nodiscard]] std::vector<std::uint32_t> branch_of(const Graph& graph, std::size_t k) const {
    std::vector<std::uint32_t> nodes;
    std::vector<bool> needed(graph.values.size(), false);
    needed[graph.outputs[k]] = true;
    for (std::size_t i = graph.nodes.size(); i-- > 0;) {
      const Node& node = graph.nodes[i];
      const bool own = std::ranges::binary_search(users_[i], static_cast<std::uint32_t>(k));
      if (!own || (trunk_[i] && changing_[i])) continue;
      const bool wanted = std::ranges::any_of(node.outputs, [&](const auto& o) {
        return o && (needed[*o] || (writes(node) && needed[memory_[*o]]));
      });
      if (!wanted) continue;
      nodes.push_back(static_cast<std::uint32_t>(i));
      for_each_value(node, [&](Value value) { needed[value] = needed[memory_[value]] = true; });
    }
    std::ranges::reverse(nodes);
    return nodes;
  }

  void divide_constants(Ensemble& ensemble) const {
    const Graph& graph = ensemble.graph;
    constexpr std::size_t kSeveral = std::numeric_limits<std::size_t>::max();
    std::map<Value, std::size_t> part;  // of each constant: the only member that needs it
    const auto note = [&](const std::vector<std::uint32_t>& nodes, std::size_t user) {
      for (const std::uint32_t node : nodes) {
        for_each_value(graph.nodes[node], [&](Value value) {
          const auto [found, is_new] = part.emplace(value, user);
          if (!is_new && found->second != user) found->second = kSeveral;
        });
      }
    };
    note(ensemble.trunk.nodes, kSeveral);
    for (std::size_t k = 0; k < ensemble.branches.size(); ++k) note(ensemble.branches[k].nodes, k);
    for (std::size_t c = 0; c < graph.constants.size(); ++c) {
      const auto found = part.find(graph.constants[c].value);
      const std::size_t user = found == part.end() ? kSeveral : found->second;
      Part& holder = user == kSeveral ? ensemble.trunk : ensemble.branches[user];
      holder.constants.push_back(static_cast<std::uint32_t>(c));
    }
  }

  const std::vector<NamedGraph>& members_;
  Graph merged_;
  std::map<Digest, std::size_t> nodes_;
  std::map<Digest, Value> constants_;
  std::vector<Users> users_;  ///< by node
  std::vector<Value> memory_;
  std::vector<bool> changing_;  ///< by node: whether it depends on the images
  std::vector<bool> trunk_;     ///< by node
};

/// Bytes of tensors that live while a part is computed.
class Liveness {
 public:
  Liveness(const Ensemble& ensemble, const Part& part)
      : graph_(ensemble.graph), memory_(memories(graph_)), last_(graph_.values.size(), -1) {
    for (std::size_t i = 0; i < part.nodes.size(); ++i) {
      const Node& node = graph_.nodes[part.nodes[i]];
      for_each_value(node, [&](Value value) { last_[memory_[value]] = static_cast<std::int64_t>(i); });
    }
    for (const Value value : ensemble.cut) keep(value);
    for (const Value value : graph_.outputs) keep(value);
    for (const Constant& constant : graph_.constants) constants_.insert(constant.value);
  }

  std::int64_t most(const Part& part) {
    std::int64_t most = 0;
    for (std::size_t i = 0; i < part.nodes.size(); ++i) {
      const Node& node = graph_.nodes[part.nodes[i]];
      for_each_value(node, [&](Value value) { begin(memory_[value]); });
      for (const auto& output : node.outputs)
        if (output) begin(memory_[*output]);
      most = std::max(most, sum_);
      for_each_value(node, [&](Value value) { end(memory_[value], static_cast<std::int64_t>(i)); });
      for (const auto& output : node.outputs)
        if (output) end(memory_[*output], static_cast<std::int64_t>(i));
    }
    return most;
  }

 private:
  void keep(Value value) { last_[memory_[value]] = std::numeric_limits<std::int64_t>::max(); }

  void begin(Value memory) {
    if (!constants_.contains(memory) && live_.insert(memory).second) sum_ += bytes_of(graph_.values[memory]);
  }

  void end(Value memory, std::int64_t now) {
    if (last_[memory] <= now && live_.erase(memory) > 0) sum_ -= bytes_of(graph_.values[memory]);
  }

  const Graph& graph_;
  std::vector<Value> memory_;
  std::vector<std::int64_t> last_;  ///< by memory: the place of the last node that reads it
  std::set<Value> constants_;
  std::set<Value> live_;
  std::int64_t sum_ = 0;
};

}  // namespace

std::int64_t Ensemble::classes() const {
  return graph.outputs.empty() ? 0 : graph.values[graph.outputs.front()].shape.at(1);
}

Ensemble merge(const std::vector<NamedGraph>& members) {
  if (members.empty()) throw Error(ExitCode::internal, "an ensemble without members");
  check_inputs(members);
  check_classes(members);
  for (const NamedGraph& member : members) check_writes(member);
  return Merging(members).finish();
}

std::vector<Digest> member_digests(const Ensemble& ensemble) {
  const Graph& graph = ensemble.graph;
  const std::vector<Digest> digests = identities(graph);
  std::map<Value, Digest> made;
  for (const Constant& constant : graph.constants) made[constant.value] = constant.content;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    for (std::size_t o = 0; o < graph.nodes[i].outputs.size(); ++o) {
      const auto& output = graph.nodes[i].outputs[o];
      if (output)
        made[*output] = Hasher().update(digests[i].hex()).update(static_cast<std::int64_t>(o)).digest();
    }
  }
  std::vector<Digest> found;
  for (const Value output : graph.outputs) found.push_back(made[output]);
  return found;
}

Ensemble some_members(const Ensemble& ensemble, std::size_t first, std::size_t count) {
  Ensemble part{ensemble.graph, ensemble.trunk, {}, ensemble.cut};
  const auto from = static_cast<std::ptrdiff_t>(first);
  const auto to = static_cast<std::ptrdiff_t>(first + count);
  part.graph.outputs.assign(ensemble.graph.outputs.begin() + from, ensemble.graph.outputs.begin() + to);
  part.branches.assign(ensemble.branches.begin() + from, ensemble.branches.begin() + to);
  return part;
}

PartCost cost_of(const Ensemble& ensemble, const Part& part) {
  const std::int64_t batch = std::max<std::int64_t>(ensemble.graph.batch, 1);
  PartCost cost;
  for (const std::uint32_t node : part.nodes)
    cost.multiply_adds += multiply_adds(ensemble.graph, ensemble.graph.nodes[node]) / batch;
  for (const std::uint32_t constant : part.constants)
    cost.weight_bytes += ensemble.graph.constants[constant].bytes;
  cost.nodes = static_cast<std::int64_t>(part.nodes.size());
  cost.activations = Liveness(ensemble, part).most(part) / batch;
  return cost;
}

std::int64_t cut_bytes(const Ensemble& ensemble) {
  std::int64_t bytes = 0;
  for (const Value value : ensemble.cut)
    bytes += CutForm::rounded_up(sizeof(CutForm::Strides)) +
             CutForm::rounded_up(bytes_of(ensemble.graph.values[value]));
  return bytes;
}

}  // namespace polyhead::graph
