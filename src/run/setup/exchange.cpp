#include "exchange.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "run/protocol/messages.hpp"

namespace polyhead::run {
namespace {

comm::Backend backend_of(config::CommBackend wanted) {
  switch (wanted) {
    case config::CommBackend::mpi:
      return comm::Backend::mpi;
    case config::CommBackend::nccl:
      return comm::Backend::nccl;
    default:
      return comm::Backend::automatic;
  }
}

}  // namespace

bool any_gpu(const comm::Group& group) {
  return std::ranges::any_of(group.gpus, [](const std::string& gpu) { return !gpu.empty(); });
}

comm::Group join_group(comm::MpiEnvironment& mpi, const config::Comm& options, plan::Grid grid,
                       const model::DeviceAssignment& assignment) {
  const int color = grid.works(mpi.rank()) ? grid.group_of(mpi.rank()) : -1;
  const std::optional<int> gpu = assignment.cuda ? std::optional(assignment.device) : std::nullopt;
  return comm::make_group(mpi, color, backend_of(options.backend), gpu, kPatience * options.timeout);
}

std::string describe_exchange(const comm::Group& group) {
  const bool nccl = group.choice.backend == comm::Backend::nccl;
  const std::string_view carrier = nccl ? "NCCL" : any_gpu(group) ? "MPI, through page-locked memory" : "MPI";
  return fmt::format("ranks exchange over {}: {}", carrier, group.choice.reason);
}

}  // namespace polyhead::run
