#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/device/pinned.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/plan/grid.hpp"
#include "polyhead/plan/micro_batches.hpp"
#include "row_block.hpp"
#include "step_computer.hpp"

namespace polyhead::run {

/// A rank's work in a group of H ranks that share the heads. A step is up to H micro-batches, one owned by
/// each rank:
///
///   begin    features of the owned micro-batch; start to all-gather the group's features
///   fuse     this rank's heads on each of the step's micro-batches; start to reduce-scatter the sums and to
///            send each micro-batch's owner what these heads say of it
///   finish   rows of the owned micro-batch
///
/// Step s is fused after step s + 1 has begun, and finished after step s + 2 has begun: each exchange has the
/// time of a backbone to travel. A rank that is alone exchanges nothing and finishes each step at once. With
/// `parallel.features: local` every rank computes the features of all micro-batches, and only sums and
/// answers travel.
///
/// The last word of each micro-batch's sums counts the ranks that were asked to stop by then: all ranks read
/// the same when they finish the step, and begin no other. So no message is needed to agree on the last step.
class GroupPipeline final : public StepComputer {
 public:
  struct Job {
    const config::Config& config;  ///< configuration with all heads
    plan::MicroBatches batches;
    std::vector<plan::HeadRange> heads;  ///< heads of each rank of the group
    std::int64_t classes = 0;
    std::int64_t feature_width = 0;
    /// Memory for features and logits, which a GPU reads and writes.
    std::pmr::memory_resource* memory = device::ordinary_memory();
    bool exchanges_alone = false;  ///< whether a group of one rank exchanges with itself, to try the exchange
  };

  /// `model`: the backbone and this rank's heads. `group`: the H ranks. Both must outlive it.
  GroupPipeline(model::Model& model, comm::Collectives& group, const Job& job);

  /// Makes two exchanges of each kind in full size, of zeros, at once. At the first use of each size, NCCL
  /// connects ranks for that size's algorithm and takes its memory. All ranks of the group must call it
  /// before the first step.
  void try_exchange();

  using KeepFeatures = std::function<void(const data::Batch& batch, std::span<const float> features)>;
  /// Gives `keep` the features of each owned micro-batch as soon as the backbone has computed them.
  void keep_features(KeepFeatures keep) { keep_ = std::move(keep); }

  void step(const plan::Step& step, std::span<const data::Batch> read, const Deliver& deliver) override;
  void drain(const Deliver& deliver) override;
  void ask_to_stop() override;
  [[nodiscard]] bool stopped() const override { return stopped_; }

 private:
  /// A step under way. The handles come last: they wait before the buffers are destroyed.
  struct Slot {
    explicit Slot(std::pmr::memory_resource* memory) : features(memory), all_features(memory) {}
    plan::Step step;
    std::optional<MicroBatch> own;            ///< empty in a short step
    std::pmr::vector<float> features;         ///< [m, F], of the owned micro-batch
    std::pmr::vector<float> all_features;     ///< [H, m, F]
    std::vector<std::int64_t> own_sums;       ///< [H, words + 1]: sums of this rank's heads; see
                                              ///< `ask_to_stop`
    std::vector<std::int64_t> sums;           ///< [words + 1]: sums of all heads, for the owned micro-batch
    std::vector<std::byte> own_head_outputs;  ///< [H, bytes of this rank]
    std::vector<std::byte> head_outputs;      ///< outputs of all heads, for the owned micro-batch
    std::unique_ptr<comm::Pending> gather;
    std::unique_ptr<comm::Pending> reduce;
    std::unique_ptr<comm::Pending> send;
  };

  void begin(Slot& slot, const plan::Step& step, std::span<const data::Batch> read);
  void fuse(Slot& slot);
  void finish(Slot& slot, const Deliver& deliver);
  void start_gather(Slot& slot);
  void start_sums(Slot& slot);
  void advance(std::int64_t lag, const Deliver& deliver);
  [[nodiscard]] bool alone() const { return alone_; }
  [[nodiscard]] std::span<float> features_of(Slot& slot, std::int64_t index) const;
  [[nodiscard]] std::size_t words() const { return block_.words() + 1; }
  [[nodiscard]] Slot& slot(std::int64_t step) {
    return slots_[static_cast<std::size_t>(step) % slots_.size()];
  }

  model::Model& model_;
  comm::Collectives& group_;
  RowBlock block_;
  plan::MicroBatches batches_;
  std::size_t member_;  ///< number of this rank in the group
  plan::HeadRange heads_;
  bool alone_;  ///< whether it exchanges nothing
  bool local_features_;
  std::size_t feature_values_;  ///< values per micro-batch
  std::pmr::vector<float> logits_;
  KeepFeatures keep_;  ///< set where they are wanted
  std::array<Slot, 3> slots_;
  std::int64_t begun_ = 0, fused_ = 0, finished_ = 0;  ///< numbers of steps
  bool asked_to_stop_ = false;                         ///< whether this rank was asked to stop
  bool stopped_ = false;                               ///< whether the group has stopped
};

}  // namespace polyhead::run
