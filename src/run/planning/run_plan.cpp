#include "run_plan.hpp"

#include <cstddef>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/log.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/plan/planner.hpp"
#include "polyhead/run/machine.hpp"
#include "polyhead/run/workload.hpp"

namespace polyhead::run {
namespace {

RunPlan choose(const config::Config& config, const data::DatasetShape& shape, const Machine& machine,
               const image::ReadingMemory& reading, const graph::Ensemble* members) {
  plan::Workload workload =
      workload_of(config, shape.image, shape.size, machine.threads_of_rank(), reading, members);
  const plan::Topology topology = topology_of(machine, config, workload.image_values);
  workload.batch = plan::choose_batch(workload, topology, config.parallel);
  plan::Plan plan = plan::make_plan(workload, topology, config.parallel);
  const plan::Grid& grid = plan.chosen.grid;
  log::info(fmt::format("plan: {} x {} (data x heads); {}", grid.data, grid.heads, plan.reason));
  for (const std::string& warning : plan.warnings) log::warning(warning);
  return {grid, std::move(plan.chosen.heads), workload.batch};
}

std::vector<std::byte> packed(const RunPlan& choice) {
  WireWriter writer;
  writer.put(choice.grid).put(choice.batch).put_array(std::span(choice.heads));
  return std::move(writer).take();
}

RunPlan unpacked(std::span<const std::byte> bytes) {
  WireReader reader(bytes);
  RunPlan choice;
  choice.grid = reader.get<plan::Grid>();
  choice.batch = reader.get<std::int64_t>();
  choice.heads = reader.get_array<plan::HeadRange>();
  return choice;
}

}  // namespace

RunPlan agree_on_run_plan(comm::Collectives& world, const config::Config& config,
                          const data::DatasetShape& shape, const std::vector<plan::RankCores>& cores,
                          const model::DeviceAssignment& assignment, const image::ReadingMemory& reading,
                          const graph::Ensemble* members) {
  std::vector<std::byte> bytes;
  comm::agree(world, [&] {
    if (world.rank() == 0)
      bytes = packed(choose(config, shape, machine_of(cores, assignment), reading, members));
  });
  comm::broadcast_any(world, bytes);
  return unpacked(bytes);
}

}  // namespace polyhead::run
