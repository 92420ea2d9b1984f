#include "device_assignment.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "polyhead/base/cpu.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/device/cuda.hpp"
#include "polyhead/plan/threads.hpp"

namespace polyhead::run {
namespace {

bool wants_cuda(config::Device device, int gpus) {
  if (device == config::Device::cuda && gpus == 0) {
    throw Error(
        ExitCode::config,
        fmt::format("parallel.device is cuda, but no GPU can be used on this host: {}; mend this, or use "
                    "parallel.device: cpu",
                    device::why_no_device()));
  }
  return device != config::Device::cpu && gpus > 0;
}

/// Whether the system shows a GPU. A container that was not given its devices still sees the kernel module's
/// file.
bool shows_gpu(const std::filesystem::path& root) {
  std::error_code ignored;
  return std::filesystem::exists(root / "proc/driver/nvidia/version", ignored) ||
         std::filesystem::exists(root / "dev/nvidia0", ignored);
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

model::DeviceAssignment assign_device(const std::vector<plan::RankCores>& ranks, int rank, int local_rank,
                                      const config::Parallel& parallel) {
  model::DeviceAssignment assignment;
  assignment.threads = parallel.threads.value_or(plan::threads_for(ranks, rank));
  const int gpus = device::device_count();
  assignment.cuda = wants_cuda(parallel.device, gpus);
  if (!assignment.cuda) return assignment;
  assignment.device = local_rank % gpus;
  const std::string why = device::why_unsupported(device::query(assignment.device));
  if (!why.empty()) throw Error(ExitCode::config, why);
  return assignment;
}

std::string why_gpu_unused(const config::Parallel& parallel, const model::DeviceAssignment& assignment,
                           const std::filesystem::path& root) {
  if (assignment.cuda || parallel.device != config::Device::automatic || !shows_gpu(root)) return "";
  return device::why_no_device();
}

std::string gather_unused_gpus(comm::Collectives& world, const std::string& host, const std::string& why) {
  WireWriter writer;
  writer.put_text(why).put_text(host);
  std::map<std::string, std::set<std::string>> hosts_by_reason;
  for (const auto& bytes : world.all_gather(writer.bytes())) {
    WireReader reader(bytes);
    const std::string reason = reader.get_text();
    if (!reason.empty()) hosts_by_reason[reason].insert(reader.get_text());
  }
  std::vector<std::string> parts;
  for (const auto& [reason, hosts] : hosts_by_reason)
    parts.push_back(fmt::format("{}: {}", fmt::join(hosts, ", "), reason));
  return join(parts, "; ");
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
