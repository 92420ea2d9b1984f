#include "polyhead/plan/memory.hpp"

#include <algorithm>
#include <array>

#include "group.hpp"

namespace polyhead::plan {
namespace {

constexpr std::int64_t kFloat = 4;
constexpr std::int64_t kSlots = 3;  // steps of a group under way: begun, exchanged, finished
// Usable share; the rest is for fragmentation, the system and its page cache.
constexpr double kUsableOfGpu = 0.95;
constexpr double kUsableOfHost = 0.9;
// Bytes on the GPU of each rank that exchanges over NCCL: its channels' buffers.
constexpr std::int64_t kNccl = std::int64_t{512} << 20U;

/// The heads reuse the backbone's memory, except for the memory that a CPU's engine keeps.
std::int64_t worst_activations(const Workload& workload, bool gpu, std::int64_t heads) {
  const BackboneCost& backbone = workload.backbone;
  if (gpu) return workload.batch * std::max(backbone.activations, heads);
  return backbone.cpu_workspace + workload.batch * std::max(backbone.cpu_activations, heads);
}

/// Bytes of every head's scores of one micro-batch, where the rule needs them and the rows do not keep them.
std::int64_t member_bytes(const Workload& workload) {
  const bool only_for_the_rule = workload.head_values > 1 && !workload.head_scores;
  return only_for_the_rule ? head_output_bytes(workload, all_heads(workload).count) : 0;
}

/// Buffers for features, sums and outputs of heads, and the rows that leave the rank.
std::int64_t exchange_bytes(const Workload& workload, int heads, bool local, std::int64_t own_heads) {
  const std::int64_t features = workload.batch * workload.backbone.feature_width * kFloat;
  const std::int64_t sums = sum_bytes(workload);
  const std::int64_t head_outputs =
      head_output_bytes(workload, static_cast<std::int64_t>(workload.heads.size()));
  const bool alone = heads == 1;
  const std::int64_t own = alone ? 0 : heads * (sums + head_output_bytes(workload, own_heads));
  const std::int64_t slot = heads * features + sums + head_outputs + own + (alone || local ? 0 : features);
  const std::int64_t scores = own_heads * workload.batch * workload.classes * kFloat;
  return kSlots * slot + scores + member_bytes(workload) + 2 * workload.batch * workload.row_bytes;
}

/// Bytes of a micro-batch's images, as they are kept for the computation.
std::int64_t input_bytes(const Workload& workload, bool gpu) {
  return workload.batch * workload.image_values * (gpu ? workload.gpu_value : kFloat);
}

std::int64_t loader_bytes(const Workload& workload, const Grid& grid, bool local, bool gpu, int workers) {
  const std::int64_t batch = input_bytes(workload, gpu);
  const std::int64_t ahead =
      static_cast<std::int64_t>(workload.read_ahead) / std::max<std::int64_t>(1, batch);
  const std::int64_t held = local ? grid.heads : 1;  // held by the computation
  const std::int64_t readers = local ? grid.data : grid.ranks();
  const std::int64_t most = workload.micro_batches() / readers + 1;
  const std::int64_t batches = std::min(std::max<std::int64_t>(2, ahead) + held, most);
  return batches * batch + workers * workload.worker_bytes;
}

/// A rank's share of the heads.
struct Share {
  std::int64_t bytes = 0;  ///< bytes of its heads' weights
  std::int64_t count = 0;
  std::int64_t activations = 0;  ///< activations per sample, of the largest head
};

Share share_of(const Workload& workload, HeadRange range) {
  Share share{0, range.count, 0};
  for (const HeadCost& head : heads_of(workload, range)) {
    share.bytes += head.bytes;
    share.activations = std::max(share.activations, head.activations);
  }
  return share;
}

/// Bytes while weights are read and passed on: rank 0 holds all of them and its own, the others their own.
std::int64_t setup_weights(const Workload& workload, const Share& share, bool first) {
  const std::int64_t own = workload.backbone.bytes + share.bytes;
  if (!first) return own;
  return own + workload.backbone.bytes + share_of(workload, all_heads(workload)).bytes;
}

/// A rank's part of the memory that its node's ranks share.
std::int64_t shared_bytes(const Workload& workload, const Topology& topology, const Grid& grid) {
  const std::int64_t sharers = std::min(topology.neighbours(), grid.ranks());
  return (workload.backbone.shared_bytes + sharers - 1) / sharers;
}

RankMemory memory_of_share(const Workload& workload, const Topology& topology, const Grid& grid, bool local,
                           const Share& share, std::int64_t setup) {
  const bool gpu = topology.processor.gpu;
  const std::int64_t backbone = workload.backbone.bytes;
  MemoryUse use;
  use.activations = worst_activations(workload, gpu, share.activations);
  use.exchange = exchange_bytes(workload, grid.heads, local, share.count);
  RankMemory memory;
  memory.host.process = static_cast<std::int64_t>(topology.process.host);
  memory.host.exchange = use.exchange;
  memory.host.loader = loader_bytes(workload, grid, local, gpu, topology.reading.workers);
  memory.host.large_samples = topology.reading.workers * workload.unusual_bytes + workload.large_sample_bytes;
  if (gpu) {
    const bool alone = grid.heads == 1;  // nothing is exchanged
    memory.gpu = {static_cast<std::int64_t>(topology.process.gpu) + (alone ? 0 : kNccl),
                  backbone,
                  share.bytes,
                  use.activations + input_bytes(workload, gpu),
                  alone ? 0 : use.exchange,  // NCCL reads and writes memory of the GPU
                  0,
                  0};
  } else {
    // Weights as read, and in the engine's layout.
    memory.host.backbone =
        backbone + workload.backbone.prepared_bytes + shared_bytes(workload, topology, grid);
    memory.host.heads = share.bytes;
    memory.host.activations = use.activations;
  }
  // Memory freed after set-up is used again.
  const std::int64_t running = memory.host.total() - memory.host.process;
  memory.host.heads += std::max<std::int64_t>(0, setup - running);
  return memory;
}

}  // namespace

RankMemory memory_of(const Workload& workload, const Topology& topology, const Grid& grid,
                     config::Features features, HeadRange heads, bool first) {
  const Share share = share_of(workload, heads);
  return memory_of_share(workload, topology, grid, features == config::Features::local, share,
                         setup_weights(workload, share, first));
}

MemoryLimits limits_of(const Topology& topology) {
  const auto part = [](std::uint64_t bytes, double share) {
    return static_cast<std::int64_t>(static_cast<double>(bytes) * share);
  };
  return {part(topology.processor.memory, kUsableOfGpu),
          part(topology.host_memory, kUsableOfHost) / topology.neighbours()};
}

bool fits(const RankMemory& memory, const MemoryLimits& limits) {
  return (limits.gpu == 0 || memory.gpu.total() <= limits.gpu) &&
         (limits.host == 0 || memory.host.total() <= limits.host);
}

std::int64_t largest_batch(Workload workload, const Topology& topology, const Grid& grid,
                           config::Features features) {
  const auto ranges = shares_of(workload, grid.heads);
  std::vector<Share> shares;
  for (const HeadRange& range : ranges) shares.push_back(share_of(workload, range));
  // No rank needs more than one of these.
  const std::array<Share, 4> extremes{shares.front(), *std::ranges::max_element(shares, {}, &Share::bytes),
                                      *std::ranges::max_element(shares, {}, &Share::count),
                                      *std::ranges::max_element(shares, {}, &Share::activations)};
  const std::int64_t all = setup_weights(workload, shares.front(), true);
  const MemoryLimits limits = limits_of(topology);
  const bool local = features == config::Features::local;
  for (std::int64_t batch = kMaxBatch; batch > 0; --batch) {
    workload.batch = batch;
    bool good = true;
    for (std::size_t i = 0; i < extremes.size() && good; ++i) {
      const std::int64_t setup = i == 0 ? all : setup_weights(workload, extremes.at(i), false);
      good = fits(memory_of_share(workload, topology, grid, local, extremes.at(i), setup), limits);
    }
    if (good) return batch;
  }
  return 0;
}

}  // namespace polyhead::plan
