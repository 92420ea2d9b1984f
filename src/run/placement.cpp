#include "polyhead/run/placement.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "polyhead/base/cpu.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/device/cuda.hpp"
#include "polyhead/plan/threads.hpp"

namespace polyhead::run {
namespace {

bool wants_cuda(config::Device device, int gpus) {
  if (device == config::Device::cuda && gpus == 0) {
    throw Error(ExitCode::config,
                "parallel.device is cuda, but there is no usable GPU on this host (or polyhead was "
                "built without CUDA); use parallel.device: cpu");
  }
  return device != config::Device::cpu && gpus > 0;
}

}  // namespace

std::vector<plan::RankCores> gather_cores(comm::Collectives& world, const std::string& host) {
  const auto quota = cgroup_cpu_quota();
  const std::vector<int> cores = affinity_cores();
  WireWriter writer;
  writer.put_text(host).put_array(std::span(cores)).put(quota.value_or(0));
  std::vector<plan::RankCores> ranks;
  for (const auto& bytes : world.all_gather(writer.bytes())) {
    WireReader reader(bytes);
    plan::RankCores& rank = ranks.emplace_back();
    rank.host = reader.get_text();
    rank.cores = reader.get_array<int>();
    if (const auto limit = reader.get<double>(); limit > 0) rank.quota = limit;
  }
  return ranks;
}

model::Placement choose_placement(const std::vector<plan::RankCores>& ranks, int rank, int local_rank,
                                  const config::Parallel& parallel) {
  model::Placement placement;
  placement.threads = parallel.threads.value_or(plan::threads_for(ranks, rank));
  const int gpus = device::device_count();
  placement.cuda = wants_cuda(parallel.device, gpus);
  if (placement.cuda) placement.device = local_rank % gpus;
  return placement;
}

std::string idle_cores_warning(const std::vector<plan::RankCores>& ranks, int threads, int online) {
  const plan::RankCores& first = ranks.front();
  const auto used = threads * static_cast<int>(std::ranges::count(ranks, first.host, &plan::RankCores::host));
  if (first.quota || used * 2 > online) return "";
  return fmt::format(
      "{} of {} cores of {} are used: each rank may run on {} core(s) only. Start mpirun with --bind-to "
      "none, or "
      "set parallel.threads",
      used, online, first.host, first.cores.size());
}

}  // namespace polyhead::run
