#include <algorithm>
#include <limits>
#include <sstream>

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "checks.hpp"
#include "polyhead/base/cpu.hpp"
#include "polyhead/base/read_text.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::doctor {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kMemoryOfRank = 512 * kMiB;  // LibTorch, a ResNet-18 and a batch of 32: 380 to 430 MB
constexpr std::uint64_t kSharedOfRank =
    8 * kMiB;  // Open MPI takes 4 MiB, and more when many ranks communicate
constexpr std::uint64_t kFilesOfRank = 1024;
constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();

std::uint64_t limit_of(__rlimit_resource resource) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kUnlimited;
  return limit.rlim_cur;
}

std::string shown(std::uint64_t limit) {
  return limit == kUnlimited ? "unlimited" : human_bytes(limit);
}

}  // namespace

std::uint64_t available_memory(const std::string& meminfo) {
  std::istringstream lines(meminfo);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("MemAvailable:")) continue;
    std::uint64_t kib = 0;
    std::istringstream(line.substr(line.find(':') + 1)) >> kib;
    return kib * 1024;
  }
  return 0;
}

CoreFacts core_facts() {
  return {online_cores(), static_cast<int>(affinity_cores().size()), cgroup_cpu_quota()};
}

LimitFacts limit_facts() {
  struct statvfs shared {};
  const bool there = ::statvfs("/dev/shm", &shared) == 0;
  return {limit_of(RLIMIT_NOFILE), limit_of(RLIMIT_MEMLOCK), available_memory(read_text("/proc/meminfo")),
          cgroup_memory_limit(), there ? static_cast<std::uint64_t>(shared.f_bavail) * shared.f_frsize : 0};
}

Finding check_processor(const std::string& fingerprint) {
  return {"processor", Verdict::ok, fingerprint, "", ""};
}

Finding check_cores(const CoreFacts& facts, int ranks_here) {
  Finding found{"cores", Verdict::ok, fmt::format("{} of {} usable", facts.allowed, facts.online), "", ""};
  if (facts.quota) found.text += fmt::format(", the cgroup grants {:.3g}", *facts.quota);
  found.text += fmt::format(", for {}", counted(ranks_here, "rank"));
  const double usable = facts.quota ? std::min<double>(facts.allowed, *facts.quota) : facts.allowed;
  if (ranks_here > std::max(1.0, usable) && facts.allowed == facts.online) {
    found.verdict = Verdict::note;
    found.advice = "ranks take turns on the cores: start fewer";
  } else if (!facts.quota && facts.allowed * ranks_here * 2 <= facts.online) {
    found.verdict = Verdict::note;
    found.advice = "most cores stay idle: start mpirun with --bind-to none, as launch/mpirun.sh does";
  }
  return found;
}

Finding check_memory(const LimitFacts& facts, int ranks_here) {
  const auto ranks = static_cast<std::uint64_t>(ranks_here);
  const std::uint64_t usable = std::min(facts.memory, facts.memory_granted.value_or(kUnlimited));
  Finding found{"memory", Verdict::ok, "enough", fmt::format("{} are available", human_bytes(facts.memory)),
                ""};
  if (facts.memory_granted)
    found.text += fmt::format(", the cgroup grants {}", human_bytes(*facts.memory_granted));
  if (usable >= ranks * kMemoryOfRank) return found;
  found.verdict = usable >= ranks * kMemoryOfRank / 2 ? Verdict::note : Verdict::problem;
  found.text = fmt::format("{} for {}", human_bytes(usable), counted(ranks_here, "rank"));
  found.advice = fmt::format(
      "a rank takes about {} with a ResNet-18, more with larger models and batches: start fewer ranks "
      "here; polyhead plan predicts it",
      human_bytes(kMemoryOfRank));
  return found;
}

Finding check_shared_memory(const LimitFacts& facts, int ranks_here) {
  const std::uint64_t wanted = static_cast<std::uint64_t>(ranks_here) * kSharedOfRank;
  Finding found{"/dev/shm", Verdict::ok, "enough", human_bytes(facts.shared) + " are free", ""};
  if (facts.shared >= wanted) return found;
  found.verdict = ranks_here > 1 ? Verdict::problem : Verdict::note;
  found.text = fmt::format("{} free, {} wanted for {}", human_bytes(facts.shared), human_bytes(wanted),
                           counted(ranks_here, "rank"));
  found.advice =
      "MPI's ranks talk through it: remove what dead jobs left there, or make it larger (docker run "
      "--shm-size=1g)";
  return found;
}

Finding check_limits(const LimitFacts& facts, bool fabric) {
  const std::string files = facts.files == kUnlimited ? "unlimited" : fmt::format("{}", facts.files);
  Finding found{"limits", Verdict::ok,
                fmt::format("{} open files, {} of locked memory", files, shown(facts.locked)), "", ""};
  if (facts.files < kFilesOfRank) {
    found.verdict = Verdict::note;
    found.advice =
        fmt::format("data sets of many shards need many open files: ulimit -n {}", 4 * kFilesOfRank);
  } else if (fabric && facts.locked != kUnlimited) {
    found.verdict = Verdict::note;
    found.advice = "InfiniBand locks memory: set 'memlock unlimited' in /etc/security/limits.conf";
  }
  return found;
}

}  // namespace polyhead::doctor
