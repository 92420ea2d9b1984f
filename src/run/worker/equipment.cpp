#include "equipment.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

#include "polyhead/device/pinned.hpp"
#include "run/identity/warm_up.hpp"
#include "run/setup/hosts.hpp"
#include "run/setup/set_up.hpp"
#include "run/setup/share_backbone.hpp"
#include "run/setup/share_weights.hpp"

namespace polyhead::run {
namespace {

/// Whether a rank without neighbours exchanges with itself (value 1), so that one GPU can try NCCL
/// (tests/gpu/check.sh).
bool exchanges_alone() {
  const char* const value = std::getenv("POLYHEAD_EXCHANGE_ALONE");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace

model::Weights bring_weights(comm::Collectives& world, const std::string& host, comm::Group& group,
                             const model::DeviceAssignment& assignment, Inputs& inputs,
                             const std::vector<plan::HeadRange>& heads, int member) {
  if (group.weights_choice.backend != comm::Backend::nccl)
    return share_weights(world, inputs.config, inputs.weights, heads, member);
  const auto to_gpus = std::move(group.to_gpus);
  return share_weights_over_nccl(world, host, to_gpus.get(), assignment.device, inputs.config, inputs.weights,
                                 heads, member);
}

Equipment equip(comm::Collectives& world, const std::string& host, const comm::Group& group,
                const Inputs& inputs, const std::vector<std::string>& hosts,
                const std::vector<plan::HeadRange>& heads, model::Weights weights,
                const model::DeviceAssignment& assignment) {
  Equipment rank;
  model::Prepared prepared = share_backbone(world, hosts, inputs.config.backbone, assignment, weights);
  set_up(world, host, [&] {
    if (!group.collectives) return;
    const plan::MicroBatches batches = inputs.micro_batches();
    const GroupPipeline::Job job{
        inputs.config,
        batches,
        heads,
        weights.classes,
        weights.feature_width,
        assignment.cuda ? device::pinned_memory(assignment.device) : device::ordinary_memory(),
        exchanges_alone()};
    rank.classes = weights.classes;
    rank.feature_width = weights.feature_width;
    rank.on_gpu = assignment.cuda;
    rank.model = model::make_model(
        with_heads(inputs.config, heads.at(static_cast<std::size_t>(group.collectives->rank()))),
        std::move(weights), batches.size(), inputs.shape.image, assignment, std::move(prepared));
    rank.pipeline = std::make_unique<GroupPipeline>(*rank.model, *group.collectives, job);
  });
  if (group.choice.backend != comm::Backend::nccl) return rank;  // MPI has nothing to choose
  agree_naming_place(world, host, [&] {
    if (rank.pipeline) rank.pipeline->try_exchange();
  });
  return rank;
}

void agree_on_first_bits(comm::Collectives& world, const std::string& host, const Equipment& rank,
                         const Inputs& inputs, const std::vector<plan::HeadRange>& heads, int member,
                         const Fingerprint& fingerprint, const std::vector<plan::RankCores>& cores) {
  WarmUp mine;
  set_up(world, host, [&] {
    if (!rank.model || !rank.on_gpu) return;
    mine = warm_up(*rank.model, inputs.micro_batches().size(), inputs.shape.image,
                   heads.at(static_cast<std::size_t>(member)).count, rank.feature_width, rank.classes);
  });
  compare_warm_ups(world, mine, fingerprint.text, member, hosts_of(cores));
}

}  // namespace polyhead::run
