#include "parting.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "operators.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/shape.hpp"

namespace polyhead::graph {
namespace {

/// Constants of a graph, by value.
using Constants = std::map<Value, const Constant*>;

Constants constants_of(const Graph& graph) {
  Constants found;
  for (const Constant& constant : graph.constants) found[constant.value] = &constant;
  return found;
}

const Constant* constant_at(const Constants& constants, const Argument& argument) {
  const auto* const value = std::get_if<Value>(&argument);
  const auto found = value == nullptr ? constants.end() : constants.find(*value);
  return found == constants.end() ? nullptr : found->second;
}

bool is_statistic(std::string_view argument) {
  return argument == "running_mean" || argument == "running_var";
}

/// Whether two arguments are of one kind and, where they are no tensors, equal.
bool is_equal_but_for_tensors(const Argument& a, const Argument& b) {
  if (a.index() != b.index()) return false;
  if (std::holds_alternative<Value>(a) || std::holds_alternative<Values>(a)) return true;
  return text_of(a) == text_of(b);
}

/// Compares what two nodes have themselves, not what comes before them.
class Comparison {
 public:
  Comparison(const Graph& mine, const Graph& other)
      : mine_(mine),
        other_(other),
        my_constants_(constants_of(mine)),
        other_constants_(constants_of(other)) {}

  /// What differs, in words; empty where only what comes before differs.
  [[nodiscard]] std::string difference(const Node& a, const Node& b) const {
    if (a.op != b.op) return fmt::format("it is a {} there", b.op);
    if (a.arguments.size() != b.arguments.size()) return "it has other arguments there";
    const std::vector<std::size_t> found = differing(a, b);
    return found.empty() ? "" : difference(a.arguments[found.front()], b.arguments[found.front()]);
  }

  /// Whether two nodes differ in statistics of a batch norm and in nothing else.
  [[nodiscard]] bool only_statistics(const Node& a, const Node& b) const {
    if (a.op != b.op || a.arguments.size() != b.arguments.size()) return false;
    const std::vector<std::size_t> found = differing(a, b);
    return !found.empty() &&
           std::ranges::all_of(found, [&](std::size_t i) { return is_statistic(a.arguments[i].first); });
  }

 private:
  using Named = std::pair<std::string, Argument>;

  /// Indices of the arguments that matter and differ, of nodes with equally many.
  [[nodiscard]] std::vector<std::size_t> differing(const Node& a, const Node& b) const {
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < a.arguments.size(); ++i) {
      if (matters(a, a.arguments[i].first) && !difference(a.arguments[i], b.arguments[i]).empty())
        found.push_back(i);
    }
    return found;
  }

  [[nodiscard]] std::string difference(const Named& a, const Named& b) const {
    if (a.first != b.first) return fmt::format("it has no {} there", a.first);
    const Constant* const mine = constant_at(my_constants_, a.second);
    const Constant* const others = constant_at(other_constants_, b.second);
    if ((mine == nullptr) != (others == nullptr))
      return fmt::format("its {} is computed by one of them", a.first);
    if (mine != nullptr) return difference(*mine, *others);
    if (is_equal_but_for_tensors(a.second, b.second)) return "";
    return fmt::format("{} is {}, there {}", a.first, text_of(a.second), text_of(b.second));
  }

  [[nodiscard]] std::string difference(const Constant& mine, const Constant& others) const {
    if (mine.content == others.content) return "";
    const auto& shape = mine_.values[mine.value].shape;
    const auto& there = other_.values[others.value].shape;
    if (shape == there) return fmt::format("{} has other values", checkpoint::printable(mine.name));
    return fmt::format("{} is {}, there {}", checkpoint::printable(mine.name), checkpoint::shape_text(shape),
                       checkpoint::shape_text(there));
  }

  const Graph& mine_;
  const Graph& other_;
  Constants my_constants_;
  Constants other_constants_;
};

std::string place_of(const Node& node) {
  if (!node.module.empty()) return fmt::format("{} ({})", checkpoint::printable(node.module), node.op);
  return node.op;
}

/// First node that is not among these.
std::size_t first_without(const std::vector<Digest>& digests, const std::vector<Digest>& others) {
  const std::set<Digest> known(others.begin(), others.end());
  const auto found =
      std::ranges::find_if(digests, [&](const Digest& digest) { return !known.contains(digest); });
  return static_cast<std::size_t>(found - digests.begin());
}

/// Counts batch norms that differ in statistics alone, where two graphs have the same nodes.
void count_drifted(const Comparison& comparison, const Graph& mine, const Graph& other, Parting& parting) {
  if (mine.nodes.size() != other.nodes.size()) return;
  for (std::size_t i = 0; i < mine.nodes.size(); ++i) {
    if (comparison.difference(mine.nodes[i], other.nodes[i]).empty()) continue;
    if (comparison.only_statistics(mine.nodes[i], other.nodes[i])) {
      ++parting.drifted;
    } else if (parting.beyond.empty()) {
      parting.beyond = place_of(mine.nodes[i]);
    }
  }
}

}  // namespace

std::optional<Parting> find_parting(const Identified& member, const Identified& other) {
  const std::size_t mine = first_without(member.digests, other.digests);
  if (mine == member.digests.size()) return std::nullopt;
  const std::size_t others = first_without(other.digests, member.digests);
  const Comparison comparison(member.graph, other.graph);
  const Node& node = member.graph.nodes[mine];
  Parting parting;
  parting.where = place_of(node);
  parting.difference = others == other.digests.size()
                           ? "the other one ends before it"
                           : comparison.difference(node, other.graph.nodes[others]);
  if (parting.difference.empty()) parting.difference = "it has another input there";
  count_drifted(comparison, member.graph, other.graph, parting);
  return parting;
}

}  // namespace polyhead::graph
