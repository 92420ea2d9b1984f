#include "reading.hpp"

#include <utility>

#include "first_lease.hpp"
#include "polyhead/comm/agreement.hpp"
#include "run/protocol/messages.hpp"
#include "run/setup/data_check.hpp"
#include "run/setup/job_loader.hpp"
#include "run/setup/set_up.hpp"

namespace polyhead::run {

Reading begin_to_read(comm::Collectives& world, const std::string& host, comm::Channel& to_ranks,
                      Inputs& inputs, plan::Grid grid, std::vector<plan::Lease> work,
                      const model::DeviceAssignment& assignment) {
  check_data_is_everywhere(world, inputs, host, view_of_files(host));
  Reading reading;
  const int rank = world.rank();
  const bool all = inputs.config.parallel.features == config::Features::local;
  set_up(world, host, [&] {
    if (!grid.works(rank)) return;
    reading.loader = make_loader(inputs, assignment);
    reading.place = {grid.heads, grid.member_of(rank), all, {}};
  });
  if (!opens_early(inputs.config.output)) return reading;
  FirstLease first_lease{
      grid,
      inputs.micro_batches(),
      all,
      kPatience * inputs.config.comm.timeout,
      std::move(work),
      [&](std::int64_t first, std::int64_t count) { return inputs.dataset->locations(first, count); }};
  // No rank is stopped before all have met: one that left here would keep the others waiting.
  comm::agree(world, [&] {
    reading.place.first_lease = hand_out_first_lease(to_ranks, rank, first_lease, reading.loader.get());
  });
  return reading;
}

}  // namespace polyhead::run
