#include "polyhead/base/cpu.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <span>
#include <sstream>
#include <string_view>

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include "polyhead/base/read_text.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead {
namespace {

namespace fs = std::filesystem;

/// cgroup v2: "max 100000" or "150000 100000".
std::optional<double> quota_v2(const fs::path& file) {
  std::istringstream text(read_text(file));
  double quota = 0;
  double period = 0;
  if (text >> quota >> period && quota > 0 && period > 0) return quota / period;
  return std::nullopt;
}

/// cgroup v1: one number per file, -1 without a limit.
std::optional<double> quota_v1(const fs::path& folder) {
  std::istringstream quota_text(read_text(folder / "cpu.cfs_quota_us"));
  std::istringstream period_text(read_text(folder / "cpu.cfs_period_us"));
  double quota = 0;
  double period = 0;
  if (quota_text >> quota && period_text >> period && quota > 0 && period > 0) return quota / period;
  return std::nullopt;
}

/// cgroup v2: "max" or bytes; v1: bytes, close to 2^63 without a limit.
std::optional<double> memory_limit(const fs::path& file) {
  constexpr double kNoLimit = 1e18;
  std::istringstream text(read_text(file));
  double bytes = 0;
  if (text >> bytes && bytes > 0 && bytes < kNoLimit) return bytes;
  return std::nullopt;
}

/// Tightest quota from the group up to the root: each level limits its descendants.
template <class Read>
std::optional<double> tightest(const fs::path& root, fs::path group, Read read) {
  std::optional<double> least;
  for (;;) {
    const auto quota = read(root / group.relative_path());
    if (quota && (!least || *quota < *least)) least = quota;
    if (!group.has_relative_path()) return least;
    group = group.parent_path();
  }
}

/// Group's path in that line of /proc/self/cgroup ("4:cpu,cpuacct:/user/job") whose controllers hold
/// `controller`.
std::optional<std::string> group_of(const std::string& self, std::string_view controller) {
  std::istringstream lines(self);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = fmt::format(",{},", line.substr(first + 1, second - first - 1));
    if (controllers.find(fmt::format(",{},", controller)) != std::string::npos)
      return line.substr(second + 1);
  }
  return std::nullopt;
}

std::string cpuinfo_field(const std::string& cpuinfo, const std::string& field) {
  const auto at = cpuinfo.find(field);
  if (at == std::string::npos) return "";
  const auto colon = cpuinfo.find(':', at);
  const auto end = cpuinfo.find('\n', at);
  if (colon == std::string::npos || colon > end) return "";
  const auto begin = cpuinfo.find_first_not_of(" \t", colon + 1);
  return begin < end ? cpuinfo.substr(begin, end - begin) : "";
}

/// Instruction sets among `sets` that the processor has.
std::vector<std::string> sets_of(const std::string& cpuinfo, std::span<const std::string_view> sets) {
  const std::string flags = fmt::format(" {} ", cpuinfo_field(cpuinfo, "flags"));
  std::vector<std::string> present;
  for (const std::string_view set : sets) {
    if (flags.find(fmt::format(" {} ", set)) != std::string::npos) present.emplace_back(set);
  }
  return present;
}

/// Sizes of the data caches of levels 1 and 2, by which libraries cut their sums. Read from core 0, which is
/// the same core for every process of the machine.
std::vector<std::string> own_caches() {
  std::vector<std::string> sizes;
  for (const char* index : {"index0", "index2"}) {
    std::istringstream text(read_text(fs::path("/sys/devices/system/cpu/cpu0/cache") / index / "size"));
    std::string size;
    if (text >> size) sizes.push_back(size);
  }
  return sizes;
}

}  // namespace

std::vector<int> affinity_cores() {
  // Machines with more cores than cpu_set_t holds refuse a small mask with EINVAL.
  for (int capacity = CPU_SETSIZE; capacity <= 1 << 20; capacity *= 2) {
    cpu_set_t* mask = CPU_ALLOC(static_cast<std::size_t>(capacity));
    if (mask == nullptr) break;
    const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(capacity));
    const int result = sched_getaffinity(0, size, mask);
    std::vector<int> cores;
    for (int core = 0; result == 0 && core < capacity; ++core) {
      if (CPU_ISSET_S(static_cast<std::size_t>(core), size, mask)) cores.push_back(core);
    }
    CPU_FREE(mask);
    if (!cores.empty()) return cores;
    if (errno != EINVAL) break;
  }
  return {0};
}

std::optional<double> cgroup_cpu_quota(const std::string& root, const std::string& self) {
  const std::string groups = self.empty() ? read_text("/proc/self/cgroup") : self;
  if (const auto group = group_of(groups, "cpu")) {
    return tightest(fs::path(root) / "cpu", *group, quota_v1);
  }
  if (const auto group = group_of(groups, "")) {
    return tightest(root, *group, [](const fs::path& folder) { return quota_v2(folder / "cpu.max"); });
  }
  return std::nullopt;
}

std::optional<std::uint64_t> cgroup_memory_limit(const std::string& root, const std::string& self) {
  const std::string groups = self.empty() ? read_text("/proc/self/cgroup") : self;
  std::optional<double> bytes;
  if (const auto group = group_of(groups, "memory")) {
    bytes = tightest(fs::path(root) / "memory", *group,
                     [](const fs::path& folder) { return memory_limit(folder / "memory.limit_in_bytes"); });
  } else if (const auto group2 = group_of(groups, "")) {
    bytes =
        tightest(root, *group2, [](const fs::path& folder) { return memory_limit(folder / "memory.max"); });
  }
  if (!bytes) return std::nullopt;
  return static_cast<std::uint64_t>(*bytes);
}

int online_cores() {
  return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

std::string cpu_fingerprint() {
  const std::string cpuinfo = read_text("/proc/cpuinfo");
  static constexpr std::array<std::string_view, 8> kSets{
      "avx", "fma", "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16"};
  return fmt::format("{}; {}", cpuinfo_field(cpuinfo, "model name"), join(sets_of(cpuinfo, kSets), " "));
}

std::string cpu_of_libraries() {
  const std::string cpuinfo = read_text("/proc/cpuinfo");
  static constexpr std::array<std::string_view, 4> kSets{"avx", "fma", "avx2", "avx512f"};
  std::vector<std::string> parts = sets_of(cpuinfo, kSets);
  parts.insert(parts.begin(), cpuinfo_field(cpuinfo, "vendor_id"));
  const std::vector<std::string> caches = own_caches();
  return join(parts, " ") + (caches.empty() ? "" : fmt::format(", caches {}", join(caches, " ")));
}

bool has_fused_multiply_add(const std::string& processor) {
  const std::string words = processor + " ";
  return words.find(" fma ") != std::string::npos && words.find(" avx2 ") != std::string::npos;
}

}  // namespace polyhead
