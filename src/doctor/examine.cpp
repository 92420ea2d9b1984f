#include "polyhead/doctor/examine.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include <unistd.h>

#include "checks.hpp"
#include "facts.hpp"
#include "polyhead/base/cpu.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/comm/launcher.hpp"
#include "polyhead/doctor/report.hpp"

namespace polyhead::doctor {
namespace {

constexpr std::chrono::milliseconds kPoll{100};

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool is_in_path(const std::string& program) {
  std::istringstream folders(variable("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

StartFacts start_facts(const comm::MpiEnvironment& mpi, const std::vector<std::string>& host_of_rank) {
  StartFacts facts;
  facts.library = comm::mpi_library();
  facts.ranks = mpi.size();
  facts.hosts = static_cast<int>(std::set(host_of_rank.begin(), host_of_rank.end()).size());
  facts.ranks_here = static_cast<int>(std::ranges::count(host_of_rank, mpi.host()));
  facts.mpirun_found = is_in_path("mpirun");
  facts.root_refused = ::geteuid() == 0 && mpi.size() == 1 && variable("OMPI_ALLOW_RUN_AS_ROOT").empty();
  if (const auto launch = comm::launcher_without_ranks(mpi.size()))
    facts.wrong_launcher = comm::describe(*launch, mpi.size(), facts.library);
  return facts;
}

/// Ranks of the job, in rank order.
struct Ranks {
  std::vector<std::string> hosts;
  std::vector<bool> first;  ///< first ranks of their hosts, which examine them
};

Ranks gather_ranks(comm::Collectives& world, const comm::MpiEnvironment& mpi) {
  Ranks ranks;
  for (const auto& bytes :
       world.all_gather(WireWriter().put_text(mpi.host()).put(mpi.local_rank() == 0).bytes())) {
    WireReader reader(bytes);
    ranks.hosts.push_back(reader.get_text());
    ranks.first.push_back(reader.get<bool>());
  }
  return ranks;
}

/// Lead in seconds of each rank's clock over rank 0's, except for the moments in which a barrier releases
/// ranks.
std::vector<double> compare_clocks(comm::Collectives& world) {
  world.barrier();
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  std::vector<double> seconds;
  for (const auto& bytes : world.all_gather(WireWriter().put(now.count()).bytes())) {
    seconds.push_back(WireReader(bytes).get<double>());
  }
  const double first = seconds.front();
  for (double& value : seconds) value -= first;
  return seconds;
}

std::vector<Finding> examine_host(const StartFacts& start, config::Device wanted) {
  const GpuFacts gpus = gpu_facts(wanted);
  const NetworkFacts network{interfaces(), fabric()};
  const LimitFacts limits = limit_facts();
  const bool locks_memory = std::ranges::any_of(network.fabric, &FabricPort::active);
  return {check_mpi(start),
          check_processor(cpu_fingerprint()),
          check_cores(core_facts(), start.ranks_here),
          check_memory(limits, start.ranks_here),
          check_shared_memory(limits, start.ranks_here),
          check_limits(limits, locks_memory),
          check_gpu(gpus, start.ranks_here),
          check_nccl(gpus),
          check_network(network, start.hosts),
          check_fabric(network)};
}

config::Device share_device(comm::Collectives& world, const std::optional<config::Config>& config) {
  config::Device device = config ? config->parallel.device : config::Device::automatic;
  world.broadcast(std::as_writable_bytes(std::span(&device, 1)), 0);
  return device;
}

/// Reports in rank order. Hosts that do not answer in time have a report that says so.
Examination collect(comm::Channel& channel, HostReport mine, const Ranks& ranks,
                    std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::map<int, HostReport> found;
  found[0] = std::move(mine);
  const auto expected = static_cast<std::size_t>(std::ranges::count(ranks.first, true));
  while (found.size() < expected && std::chrono::steady_clock::now() < deadline) {
    if (const auto message = channel.receive(kPoll)) found[message->source] = unpack(message->bytes);
  }
  Examination all{{}, found.size() == expected};
  for (int rank = 0; rank < static_cast<int>(ranks.hosts.size()); ++rank) {
    const auto at = static_cast<std::size_t>(rank);
    if (!ranks.first[at]) continue;
    const auto report = found.find(rank);
    all.reports.push_back(report != found.end()
                              ? report->second
                              : HostReport{ranks.hosts[at], {check_silent(ranks.hosts[at], limit)}});
  }
  return all;
}

}  // namespace

Examination examine(comm::MpiEnvironment& mpi, const std::optional<config::Config>& config,
                    std::chrono::milliseconds limit) {
  const auto world = mpi.collectives();
  const auto reports = mpi.channel(limit, limit);
  const config::Device wanted = share_device(*world, config);
  const Ranks ranks = gather_ranks(*world, mpi);
  const std::vector<double> clocks = compare_clocks(*world);
  HostReport mine{mpi.host(), {}};
  // From here on a host may hang, so every wait for it has a limit.
  if (mpi.local_rank() == 0) mine.findings = examine_host(start_facts(mpi, ranks.hosts), wanted);
  if (mpi.rank() != 0) {
    if (mpi.local_rank() == 0) reports->send(0, 0, pack(mine));
    return {};
  }
  const auto output = config ? config->output.path : std::filesystem::current_path() / "result.h5";
  mine.findings.push_back(
      check_output(output_facts(output, config ? config->output.writers : config::Output{}.writers)));
  mine.findings.push_back(check_clock(clocks));
  return collect(*reports, std::move(mine), ranks, limit);
}

}  // namespace polyhead::doctor
