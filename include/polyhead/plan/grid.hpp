#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace polyhead::plan {

/// Layout of a job's ranks: D data groups, each of H ranks that share the heads. Groups are runs of
/// consecutive ranks, so that ranks that exchange most are on one host. Ranks beyond D x H idle.
struct Grid {
  int data = 1;   ///< D: groups that work on different micro-batches
  int heads = 1;  ///< H: ranks of a group, each with its own heads
  friend bool operator==(const Grid&, const Grid&) = default;

  [[nodiscard]] int ranks() const { return data * heads; }
  [[nodiscard]] bool works(int rank) const { return rank < ranks(); }
  [[nodiscard]] int group_of(int rank) const { return rank / heads; }
  /// Number of the rank's share of the heads; 0 is the group's leader.
  [[nodiscard]] int member_of(int rank) const { return rank % heads; }
  [[nodiscard]] int leader_of(int group) const { return group * heads; }
};

/// A run of consecutive heads.
struct HeadRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
  friend bool operator==(const HeadRange&, const HeadRange&) = default;
};

/// Cuts the heads into `parts` runs of consecutive heads so that the most expensive run is as cheap as
/// possible. `costs`: one per head, in any unit. With more parts than heads some runs are empty.
std::vector<HeadRange> split_heads(std::span<const std::int64_t> costs, int parts);

}  // namespace polyhead::plan
