#include "polyhead/graph/sharing.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include <fmt/format.h>

#include "parting.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/checkpoint/shape.hpp"
#include "polyhead/graph/cost.hpp"
#include "polyhead/graph/identity.hpp"

namespace polyhead::graph {
namespace {

/// Members that have something, sorted, each once.
using Users = std::vector<std::size_t>;

struct Item {
  Extent extent;
  Users users;
};

/// Nodes and constants by what they are.
using Items = std::map<Digest, Item>;

void add(Extent& sum, const Extent& part) {
  sum.nodes += part.nodes;
  sum.multiply_adds += part.multiply_adds;
  sum.weight_bytes += part.weight_bytes;
}

void use(Items& items, const Digest& digest, const Extent& extent, std::size_t member) {
  Item& item = items[digest];
  item.extent = extent;
  if (item.users.empty() || item.users.back() != member) item.users.push_back(member);
}

/// Gathers what members have.
class Gathering {
 public:
  explicit Gathering(const std::vector<NamedGraph>& members) : members_(members) {
    for (std::size_t k = 0; k < members.size(); ++k) {
      digests_.push_back(identities(members[k].graph));
      sharing_.members.push_back({members[k].name, {}, {}, std::nullopt, std::nullopt});
      add_nodes(k);
      add_constants(k);
    }
  }

  Sharing finish() {
    for (const Items* items : {&nodes_, &constants_}) {
      for (const auto& [digest, item] : *items) {
        add(sharing_.merged, item.extent);
        if (item.users.size() == members_.size()) add(sharing_.common, item.extent);
        if (item.users.size() == 1) add(sharing_.members[item.users.front()].own, item.extent);
      }
    }
    for (std::size_t k = 0; k < members_.size(); ++k) relate(k);
    return std::move(sharing_);
  }

 private:
  void add_nodes(std::size_t k) {
    const Graph& graph = members_[k].graph;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      const std::int64_t batch = std::max<std::int64_t>(graph.batch, 1);
      const Extent extent{1, multiply_adds(graph, graph.nodes[i]) / batch, 0};
      add(sharing_.members[k].all, extent);
      use(nodes_, digests_[k][i], extent, k);
    }
    add(sharing_.summed, sharing_.members[k].all);
  }

  void add_constants(std::size_t k) {
    std::set<Digest> seen;
    for (const Constant& constant : members_[k].graph.constants) {
      if (!seen.insert(constant.content).second) continue;
      const Extent extent{0, 0, constant.bytes};
      add(sharing_.members[k].all, extent);
      add(sharing_.summed, extent);
      use(constants_, constant.content, extent, k);
    }
  }

  /// The member that this one has most in common with.
  [[nodiscard]] std::size_t nearest(std::size_t k) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> common(members_.size());
    for (const Digest& digest : std::set<Digest>(digests_[k].begin(), digests_[k].end())) {
      const Item& item = nodes_.at(digest);
      for (const std::size_t user : item.users) {
        common[user].first += item.extent.multiply_adds;
        ++common[user].second;
      }
    }
    common[k] = {-1, -1};
    return static_cast<std::size_t>(std::ranges::max_element(common) - common.begin());
  }

  void relate(std::size_t k) {
    if (members_.size() == 1) return;
    MemberSharing& member = sharing_.members[k];
    for (std::size_t other = 0; other < k; ++other) {
      if (digests_[other] == digests_[k]) member.equal_to = other;
      if (member.equal_to) return;
    }
    const std::size_t other = nearest(k);
    member.parting = find_parting({members_[k].graph, digests_[k]}, {members_[other].graph, digests_[other]});
    if (member.parting) member.parting->other = other;
  }

  const std::vector<NamedGraph>& members_;
  std::vector<std::vector<Digest>> digests_;  ///< of the nodes, by member
  Items nodes_;
  Items constants_;
  Sharing sharing_;
};

}  // namespace

void check_inputs(const std::vector<NamedGraph>& members) {
  const Graph& first = members.front().graph;
  const Tensor& wanted = first.values[first.inputs.front()];
  for (const NamedGraph& member : members) {
    const Tensor& given = member.graph.values[member.graph.inputs.front()];
    if (given.shape == wanted.shape && given.type == wanted.type) continue;
    throw Error(ExitCode::bad_data,
                fmt::format("{} takes inputs of {}, {} of {}: members of an ensemble see the same images",
                            members.front().name, checkpoint::shape_text(wanted.shape), member.name,
                            checkpoint::shape_text(given.shape)));
  }
}

Sharing find_sharing(const std::vector<NamedGraph>& members) {
  if (members.empty()) return {};
  check_inputs(members);
  return Gathering(members).finish();
}

}  // namespace polyhead::graph
