#include "polyhead/doctor/examine.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <set>
#include <sstream>
#include <string>

#include <unistd.h>

#include "polyhead/base/cpu.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/doctor/checks.hpp"
#include "polyhead/doctor/facts.hpp"
#include "polyhead/doctor/report.hpp"

namespace polyhead::doctor {
namespace {

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
  facts.slurm_tasks = std::max(1, std::atoi(variable("SLURM_STEP_NUM_TASKS").c_str()));
  return facts;
}

std::vector<std::string> gather_hosts(comm::Collectives& world, const std::string& host) {
  std::vector<std::string> hosts;
  for (const auto& bytes : world.all_gather(WireWriter().put_text(host).bytes())) {
    hosts.push_back(WireReader(bytes).get_text());
  }
  return hosts;
}

/// By how much each rank's clock is ahead of rank 0's, but for the moments in which a barrier lets ranks go.
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

}  // namespace

std::vector<HostReport> examine(comm::MpiEnvironment& mpi, const std::optional<config::Config>& config) {
  const auto world = mpi.collectives();
  const config::Device wanted = share_device(*world, config);
  const std::vector<std::string> hosts = gather_hosts(*world, mpi.host());
  HostReport mine{mpi.host(), {}};
  if (mpi.local_rank() == 0) mine.findings = examine_host(start_facts(mpi, hosts), wanted);
  const std::vector<double> clocks = compare_clocks(*world);
  if (mpi.rank() == 0) {
    const auto output = config ? config->output.path : std::filesystem::current_path() / "result.h5";
    mine.findings.push_back(
        check_output(output_facts(output, config ? config->output.writers : config::Output{}.writers)));
    mine.findings.push_back(check_clock(clocks));
  }
  std::vector<HostReport> reports;
  for (const auto& bytes : world->all_gather(pack(mine))) {
    HostReport report = unpack(bytes);
    if (!report.findings.empty() && mpi.rank() == 0) reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace polyhead::doctor
