#include "announce.hpp"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "exchange.hpp"
#include "polyhead/base/cpu.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/config/names.hpp"
#include "polyhead/data/memory.hpp"
#include "polyhead/model/engine.hpp"

namespace polyhead::run {
namespace {

/// Announces that weights reach the GPUs over MPI, where the user may expect NCCL.
void announce_way_of_weights(const comm::Group& group) {
  if (!any_gpu(group) || group.gpus.size() == 1 || group.weights_choice.backend == comm::Backend::nccl)
    return;
  if (group.weights_choice.reason == group.choice.reason) return;  // already reported with the exchange
  const std::string text = fmt::format("weights travel over MPI: {}", group.weights_choice.reason);
  group.weights_choice.fell_back ? log::warning(text) : log::info(text);
}

/// Announces the exchange where the user asked for NCCL without getting it, or where groups exchange at all.
void announce_exchange(config::CommBackend wanted, plan::Grid grid, const comm::Group& group) {
  const bool fell_back = wanted == config::CommBackend::nccl && group.choice.backend != comm::Backend::nccl;
  if (fell_back) return log::warning(describe_exchange(group));
  announce_way_of_weights(group);
  if (grid.heads > 1) log::info(describe_exchange(group));
}

/// Logs the reading. The memory is a bound: what is decoded ahead and computed, and all that the threads may
/// hold.
void log_reading(const Inputs& inputs, plan::Grid grid, const model::DeviceAssignment& assignment,
                 int workers, std::int64_t depth) {
  image::ReadingMemory reading = inputs.dataset->reading_memory();
  const auto value =
      static_cast<std::int64_t>(assignment.cuda && reading.bytes ? sizeof(std::uint8_t) : sizeof(float));
  const std::int64_t batch = inputs.micro_batches().size() * inputs.shape.image.values() * value;
  const bool all = inputs.config.parallel.features == config::Features::local;
  const std::int64_t large = std::exchange(reading.large_sample, 0);
  const std::int64_t most = data::loader_memory(reading, workers, depth + (all ? grid.heads : 1), batch);
  log::info(fmt::format("each rank reads up to {} micro-batches ahead in {} thread(s), in at most {}{}",
                        depth, workers, human_bytes(static_cast<std::uint64_t>(most)),
                        large == 0 ? ""
                                   : fmt::format("; {} more for an image as large as data.max_pixels and "
                                                 "data.max_file_size allow",
                                                 human_bytes(static_cast<std::uint64_t>(large)))));
}

void announce_engine(const config::Backbone& backbone, const model::DeviceAssignment& assignment) {
  if (assignment.cuda) return;
  const std::string_view engine = config::name(model::engine_of(backbone, assignment));
  const std::string why = model::why_no_winograd(backbone, assignment);
  const bool fallen_back = backbone.engine == config::Engine::automatic && !why.empty();
  log::info(fmt::format("the backbone runs on {}{}", engine, fallen_back ? ": " + why : ""));
}

std::string ensemble_text(const Inputs& inputs) {
  const std::size_t count = inputs.config.heads.size();
  if (!inputs.weights.members)
    return fmt::format("{} heads on {}", count, config::name(inputs.config.backbone.arch));
  const auto giga = [](std::int64_t multiply_adds) { return static_cast<double>(multiply_adds) / 1e9; };
  return fmt::format(
      "{} members that are whole models ({:.3g} G multiply-adds an image, {:.3g} G each alone)", count,
      giga(inputs.sharing.merged.multiply_adds), giga(inputs.sharing.summed.multiply_adds));
}

}  // namespace

void announce(const Inputs& inputs, const std::vector<plan::RankCores>& cores, plan::Grid grid,
              const model::DeviceAssignment& assignment, int workers, std::int64_t depth,
              const comm::Group& group) {
  const auto ranks = static_cast<std::int64_t>(cores.size());
  const plan::MicroBatches batches = inputs.micro_batches();
  const std::string device =
      assignment.cuda ? "a GPU each" : fmt::format("{} CPU thread(s) each", assignment.threads);
  log::info(fmt::format("{}, {} samples in {} micro-batches of {}, {} rank(s) with {}", ensemble_text(inputs),
                        batches.samples(), batches.count(), batches.size(), ranks, device));
  log_reading(inputs, grid, assignment, workers, depth);
  if (!inputs.weights.members) announce_engine(inputs.config.backbone, assignment);
  announce_exchange(inputs.config.comm.backend, grid, group);
  if (assignment.cuda || inputs.config.parallel.threads) return;
  const std::string idle = idle_cores_warning(cores, assignment.threads, online_cores());
  if (!idle.empty()) log::warning(idle);
}

std::string announce_unused_gpus(comm::Collectives& world, const std::string& host, const std::string& mine) {
  std::string all = gather_unused_gpus(world, host, mine);
  if (!all.empty() && world.rank() == 0) {
    log::warning(fmt::format(
        "a GPU is there, but ranks compute on the CPU ({}). Where this is meant, say parallel.device: cpu",
        all));
  }
  return all;
}

}  // namespace polyhead::run
