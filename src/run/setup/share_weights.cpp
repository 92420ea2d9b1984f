#include "share_weights.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/digest.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/model/layout.hpp"
#include "weight_parts.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kPiece = std::size_t{4} << 20U;  // values that a rank receives at a time without
                                                       // keeping them

/// Distributes parts from rank 0 to the ranks that keep them.
class Distribution {
 public:
  Distribution(comm::Collectives& world, std::span<float> all) : world_(world), all_(all) {}

  /// Sends a part. `keep`: where this rank wants it, or empty. On rank 0 the part stays in `all`.
  void send(Part part, std::span<float> keep) {
    for (std::size_t done = 0; done < part.size; done += kPiece) {
      const std::size_t size = std::min(kPiece, part.size - done);
      world_.broadcast(std::as_writable_bytes(place(part.begin + done, done, size, keep)), 0);
    }
    compare(part, keep);
  }

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::span<float> place(std::size_t in_all, std::size_t in_part, std::size_t size, std::span<float> keep) {
    if (world_.rank() == 0) return all_.subspan(in_all, size);
    if (!keep.empty()) return keep.subspan(in_part, size);
    dropped_.resize(std::max(dropped_.size(), size));
    return std::span(dropped_).first(size);
  }

  void compare(Part part, std::span<const float> keep) {
    bytes_ += part.size * sizeof(float);
    Digest sent;
    if (world_.rank() == 0) sent = digest_of(all_.subspan(part.begin, part.size));
    world_.broadcast(std::as_writable_bytes(std::span(&sent, 1)), 0);
    comm::agree(world_, [&] {
      if (keep.empty() || digest_of(keep) == sent) return;
      throw Error(ExitCode::unavailable, "the weights arrived damaged: their digest differs from rank 0's");
    });
  }

  comm::Collectives& world_;
  std::span<float> all_;
  std::vector<float> dropped_;
  std::size_t bytes_ = 0;
};

/// Weights of this rank, with room for their values.
model::Weights make_room(const config::Config& config, const model::Layout& all,
                         const graph::Ensemble* members, plan::HeadRange heads) {
  std::size_t size = 0;
  model::Weights weights = without_values(config, all, members, heads, size);
  try {
    weights.values.resize(size);
  } catch (const std::bad_alloc&) {
    throw Error(ExitCode::unavailable,
                fmt::format("there is no memory for the weights ({})", human_bytes(size * sizeof(float))));
  }
  return weights;
}

}  // namespace

config::Config with_heads(const config::Config& config, plan::HeadRange range) {
  config::Config part = config;
  const auto first = config.heads.begin() + range.first;
  part.heads.assign(first, first + range.count);
  return part;
}

model::Weights share_weights(comm::Collectives& world, const config::Config& config, model::Weights& all,
                             const std::vector<plan::HeadRange>& ranges, int member) {
  const auto start = Clock::now();
  const model::Layout layout = model::make_layout(config, all.members.get());
  model::Weights mine;
  comm::agree(world, [&] {
    if (member >= 0) mine = make_room(config, layout, all.members.get(), ranges.at(as_index(member)));
  });

  const Part backbone{0, as_index(layout.head_begin.front())};
  const bool root = world.rank() == 0;
  const std::span<float> values(mine.values);
  const bool keeps = !root && member >= 0;
  Distribution distribution(world, all.values);
  distribution.send(backbone, keeps ? values.first(backbone.size) : std::span<float>{});
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const bool own = keeps && static_cast<int>(i) == member;
    distribution.send(part_of(layout, ranges[i]), own ? values.subspan(backbone.size) : std::span<float>{});
  }
  // Rank 0's own heads come first, so its values are the first of all.
  if (root) std::ranges::copy(std::span(all.values).first(values.size()), values.begin());
  give_back(all.values);
  if (root && world.size() > 1) {
    log::info(fmt::format("weights: {} to {} other rank(s) over MPI in {}", human_bytes(distribution.bytes()),
                          world.size() - 1,
                          human_seconds(std::chrono::duration<double>(Clock::now() - start).count())));
  }
  return mine;
}

}  // namespace polyhead::run
