#include "polyhead/graph/identity.hpp"

#include <bit>
#include <map>
#include <numeric>
#include <optional>
#include <string_view>

#include "operators.hpp"

namespace polyhead::graph {
namespace {

/// Adds arguments to a digest. The index of the alternative comes first, so that kinds do not mix.
class ArgumentHasher {
 public:
  ArgumentHasher(Hasher& hasher, const std::vector<Digest>& values) : hasher_(hasher), values_(values) {}

  void add(const Argument& argument) {
    hasher_.update(static_cast<std::int64_t>(argument.index()));
    std::visit(*this, argument);
  }

  void operator()(std::monostate /*none*/) {}
  void operator()(Value value) { add_digest(values_[value]); }
  void operator()(const Values& values) {
    hasher_.update(static_cast<std::int64_t>(values.size()));
    for (const auto& value : values) {
      hasher_.update(std::int64_t{value.has_value()});
      if (value) add_digest(values_[*value]);
    }
  }
  void operator()(bool truth) { hasher_.update(std::int64_t{truth}); }
  void operator()(std::int64_t number) { hasher_.update(number); }
  void operator()(double number) { hasher_.update(std::bit_cast<std::int64_t>(number)); }
  void operator()(const std::string& text) { hasher_.update(std::string_view(text)); }
  void operator()(const checkpoint::exported::Code& code) {
    hasher_.update(static_cast<std::int64_t>(code.kind));
    hasher_.update(code.number);
  }
  void operator()(const checkpoint::exported::Device& device) {
    hasher_.update(std::string_view(device.name));
  }
  template <class Item>
  void operator()(const std::vector<Item>& items) {
    hasher_.update(static_cast<std::int64_t>(items.size()));
    for (const Item item : items) (*this)(item);
  }

 private:
  void add_digest(const Digest& digest) {
    hasher_.update(static_cast<std::int64_t>(digest.high));
    hasher_.update(static_cast<std::int64_t>(digest.low));
  }

  Hasher& hasher_;
  const std::vector<Digest>& values_;
};

Digest combined(const Digest& digest, std::int64_t number) {
  Hasher hasher;
  hasher.update(static_cast<std::int64_t>(digest.high)).update(static_cast<std::int64_t>(digest.low));
  return hasher.update(number).digest();
}

Digest combined(const Digest& first, const Digest& second) {
  return combined(combined(first, static_cast<std::int64_t>(second.high)),
                  static_cast<std::int64_t>(second.low));
}

/// Follows the values' digests through the nodes.
class Identification {
 public:
  explicit Identification(const Graph& graph)
      : graph_(graph), now_(graph.values.size()), memory_(now_.size()) {
    std::iota(memory_.begin(), memory_.end(), Value{0});
    for (const Constant& constant : graph.constants) now_[constant.value] = constant.content;
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
      Hasher hasher;
      now_[graph.inputs[i]] = hasher.update("input").update(static_cast<std::int64_t>(i)).digest();
    }
  }

  std::vector<Digest> all() {
    std::vector<Digest> found;
    found.reserve(graph_.nodes.size());
    for (const Node& node : graph_.nodes) found.push_back(next(node));
    return found;
  }

 private:
  Digest next(const Node& node) {
    Hasher hasher;
    hasher.update(std::string_view(node.op));
    ArgumentHasher arguments(hasher, now_);
    for (const auto& [name, argument] : node.arguments) {
      if (!matters(node, name)) continue;
      hasher.update(std::string_view(name));
      arguments.add(argument);
    }
    const Digest digest = hasher.digest();
    const std::optional<Value> source = first_input(node);
    if (writes(node) && source) {
      write(*source, digest);
      return digest;
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (!node.outputs[i]) continue;
      now_[*node.outputs[i]] = combined(digest, static_cast<std::int64_t>(i));
      if (source && may_alias(node)) join(*node.outputs[i], *source);
    }
    return digest;
  }

  void write(Value target, const Digest& digest) {
    const auto found = shared_.find(memory_[target]);
    if (found == shared_.end()) {
      now_[target] = combined(now_[target], digest);
      return;
    }
    for (const Value value : found->second) now_[value] = combined(now_[value], digest);
  }

  /// From now on both lie in one memory.
  void join(Value value, Value other) {
    std::vector<Value>& members = shared_[memory_[other]];
    if (members.empty()) members.push_back(other);
    members.push_back(value);
    memory_[value] = memory_[other];
  }

  const Graph& graph_;
  std::vector<Digest> now_;                     ///< what each value is, as far as the nodes went
  std::vector<Value> memory_;                   ///< number of the memory in which a value lies
  std::map<Value, std::vector<Value>> shared_;  ///< values by memory, where there are several
};

}  // namespace

std::vector<Digest> identities(const Graph& graph) {
  return Identification(graph).all();
}

}  // namespace polyhead::graph
