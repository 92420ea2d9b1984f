#include "polyhead/graph/identity.hpp"

#include <bit>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>

#include "operators.hpp"

namespace polyhead::graph {
namespace {

Digest combined(const Digest& digest, std::int64_t number) {
  Hasher hasher;
  hasher.update(static_cast<std::int64_t>(digest.high)).update(static_cast<std::int64_t>(digest.low));
  return hasher.update(number).digest();
}

Digest combined(const Digest& first, const Digest& second) {
  return combined(combined(first, static_cast<std::int64_t>(second.high)),
                  static_cast<std::int64_t>(second.low));
}

/// For each memory that operators write into, by its first value: all that is done with it until the last of
/// them.
using Stories = std::map<Value, Digest>;

/// What each value is, as far as the nodes went.
class Contents {
 public:
  explicit Contents(std::size_t values) : first_(values), memory_(values), writes_(values) {
    std::iota(memory_.begin(), memory_.end(), Value{0});
  }

  /// The first value that lay in the value's memory.
  [[nodiscard]] Value memory_of(Value value) const { return memory_[value]; }

  [[nodiscard]] Digest of(Value value) const {
    const std::optional<Digest>& written = writes_[memory_[value]];
    return written ? combined(first_[value], *written) : first_[value];
  }

  void set(Value value, const Digest& digest) { first_[value] = digest; }

  /// From now on both lie in one memory.
  void join(Value value, Value other) { memory_[value] = memory_[other]; }

  /// Somebody writes into the value's memory: all values in it become others.
  void write(Value value, const Digest& digest) {
    std::optional<Digest>& written = writes_[memory_[value]];
    written = written ? combined(*written, digest) : digest;
  }

 private:
  std::vector<Digest> first_;                  ///< by value: when it was made
  std::vector<Value> memory_;                  ///< by value: the first value that lay in its memory
  std::vector<std::optional<Digest>> writes_;  ///< by memory: all writes so far
};

/// Adds arguments to a digest. The index of the alternative comes first, so that kinds do not mix.
class ArgumentHasher {
 public:
  ArgumentHasher(Hasher& hasher, const Contents& contents) : hasher_(hasher), contents_(contents) {}

  void add(const Argument& argument) {
    hasher_.update(static_cast<std::int64_t>(argument.index()));
    std::visit(*this, argument);
  }

  void operator()(std::monostate /*none*/) {}
  void operator()(Value value) {
    const Digest digest = contents_.of(value);
    hasher_.update(static_cast<std::int64_t>(digest.high));
    hasher_.update(static_cast<std::int64_t>(digest.low));
  }
  void operator()(const Values& values) {
    hasher_.update(static_cast<std::int64_t>(values.size()));
    for (const auto& value : values) {
      hasher_.update(std::int64_t{value.has_value()});
      if (value) (*this)(*value);
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
  Hasher& hasher_;
  const Contents& contents_;
};

Digest digest_of(const Node& node, const Contents& contents) {
  Hasher hasher;
  hasher.update(std::string_view(node.op));
  ArgumentHasher arguments(hasher, contents);
  for (const auto& [name, argument] : node.arguments) {
    if (!matters(node, name)) continue;
    hasher.update(std::string_view(name));
    arguments.add(argument);
  }
  return hasher.digest();
}

/// What the node does to its outputs and to what it writes into.
void apply(const Node& node, const Digest& digest, Contents& contents) {
  const std::optional<Value> source = first_input(node);
  if (writes(node) && source) return contents.write(*source, digest);
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (!node.outputs[i]) continue;
    contents.set(*node.outputs[i], combined(digest, static_cast<std::int64_t>(i)));
    if (source && may_alias(node)) contents.join(*node.outputs[i], *source);
  }
}

Contents at_start(const Graph& graph) {
  Contents contents(graph.values.size());
  for (const Constant& constant : graph.constants) contents.set(constant.value, constant.content);
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
    Hasher hasher;
    contents.set(graph.inputs[i], hasher.update("input").update(static_cast<std::int64_t>(i)).digest());
  }
  return contents;
}

/// Memories that a node reads or writes, each once.
std::set<Value> memories_of(const Node& node, const Contents& contents) {
  std::set<Value> memories;
  for_each_value(node, [&](Value value) { memories.insert(contents.memory_of(value)); });
  for (const auto& output : node.outputs)
    if (output) memories.insert(contents.memory_of(*output));
  return memories;
}

std::vector<Digest> identities_with(const Graph& graph, const Stories& stories, Contents& contents) {
  std::vector<Digest> found;
  found.reserve(graph.nodes.size());
  for (const Node& node : graph.nodes) {
    Digest digest = digest_of(node, contents);
    for (const auto& output : node.outputs) {
      const auto story = output ? stories.find(*output) : stories.end();
      if (story != stories.end() && !writes(node)) digest = combined(digest, story->second);
    }
    apply(node, digest, contents);
    found.push_back(digest);
  }
  return found;
}

/// `contents`: at the end.
Stories stories_of(const Graph& graph, const std::vector<Digest>& digests, const Contents& contents) {
  std::map<Value, std::size_t> last;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const auto target = first_input(graph.nodes[i]);
    if (writes(graph.nodes[i]) && target) last[contents.memory_of(*target)] = i;
  }
  std::map<Value, Hasher> hashers;
  for (std::size_t i = 0; i < graph.nodes.size() && !last.empty(); ++i) {
    for (const Value memory : memories_of(graph.nodes[i], contents)) {
      const auto written = last.find(memory);
      if (written == last.end() || i > written->second) continue;
      hashers[memory].update(static_cast<std::int64_t>(digests[i].high));
      hashers[memory].update(static_cast<std::int64_t>(digests[i].low));
    }
  }
  Stories stories;
  for (auto& [memory, hasher] : hashers) stories[memory] = hasher.digest();
  return stories;
}

}  // namespace

std::vector<Digest> identities(const Graph& graph) {
  Contents contents = at_start(graph);
  std::vector<Digest> found = identities_with(graph, {}, contents);
  const Stories stories = stories_of(graph, found, contents);
  if (stories.empty()) return found;
  Contents again = at_start(graph);
  return identities_with(graph, stories, again);
}

}  // namespace polyhead::graph
