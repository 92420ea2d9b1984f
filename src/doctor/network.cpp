#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <system_error>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "checks.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::doctor {
namespace {

std::string first_line(const std::filesystem::path& file) {
  std::ifstream text(file);
  std::string line;
  std::getline(text, line);
  return line;
}

std::int64_t speed_of(const std::string& name) {
  std::int64_t mbits = 0;
  std::ifstream("/sys/class/net/" + name + "/speed") >> mbits;
  return std::max<std::int64_t>(0, mbits);  // -1: not known
}

/// Bridges of containers and virtual machines. Each host has one, with the same address, and no host reaches
/// another through it.
bool is_bridge(const Interface& interface) {
  return std::ranges::any_of(std::array{"docker", "virbr", "br-", "cni", "lxc", "podman"},
                             [&](const char* prefix) { return interface.name.starts_with(prefix); });
}

std::string describe(const Interface& interface) {
  std::string text = fmt::format("{} {}", interface.name, interface.address);
  if (interface.mbits > 0) text += fmt::format(" ({:.3g} Gb/s)", static_cast<double>(interface.mbits) / 1000);
  return text;
}

}  // namespace

std::vector<Interface> interfaces() {
  ifaddrs* head = nullptr;
  if (::getifaddrs(&head) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(head, &freeifaddrs);
  std::vector<Interface> found;
  for (const ifaddrs* entry = head; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != AF_INET) continue;
    if ((entry->ifa_flags & IFF_UP) == 0) continue;
    const auto* const address = reinterpret_cast<const sockaddr_in*>(entry->ifa_addr);
    std::array<char, INET_ADDRSTRLEN> text{};
    ::inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size());
    found.push_back(
        {entry->ifa_name, text.data(), (entry->ifa_flags & IFF_LOOPBACK) != 0, speed_of(entry->ifa_name)});
  }
  return found;
}

std::vector<FabricPort> fabric(const std::filesystem::path& root) {
  std::vector<FabricPort> found;
  std::error_code none;
  for (const auto& device : std::filesystem::directory_iterator(root, none)) {
    for (const auto& port : std::filesystem::directory_iterator(device.path() / "ports", none)) {
      found.push_back(
          {fmt::format("{} port {}", device.path().filename().string(), port.path().filename().string()),
           first_line(port.path() / "state").ends_with("ACTIVE"), first_line(port.path() / "rate")});
    }
  }
  std::ranges::sort(found, {}, &FabricPort::name);
  return found;
}

Finding check_network(const NetworkFacts& facts, int hosts) {
  std::vector<std::string> names;
  std::vector<std::string> bridges;
  for (const Interface& interface : facts.interfaces) {
    if (interface.loopback) continue;
    if (is_bridge(interface))
      bridges.push_back(interface.name);
    else
      names.push_back(describe(interface));
  }
  Finding found{"network", Verdict::ok, "", join(names), ""};
  found.text =
      names.empty() ? "only the loopback device" : counted(static_cast<int>(names.size()), "interface");
  if (names.empty() && hosts > 1) {
    found.verdict = Verdict::problem;
    found.advice = "no other host can be reached: give this one an address in the others' network";
  } else if (!bridges.empty()) {
    found.verdict = hosts > 1 ? Verdict::note : Verdict::ok;
    found.text += fmt::format(", and {}", join(bridges));
    found.advice = hosts == 1
                       ? ""
                       : fmt::format(
                             "every host may have {0} with the same address, at which connections hang: "
                             "start with --mca btl_tcp_if_exclude lo,{1} --mca oob_tcp_if_exclude lo,{1}",
                             bridges.front(), join(bridges, ","));
  }
  return found;
}

Finding check_fabric(const NetworkFacts& facts) {
  Finding found{"infiniband", Verdict::ok, "none", "", ""};
  if (facts.fabric.empty()) return found;
  std::vector<std::string> active;
  for (const FabricPort& port : facts.fabric) {
    if (port.active) active.push_back(fmt::format("{} at {}", port.name, port.rate));
  }
  found.text = join(active);
  if (active.empty()) {
    found.verdict = Verdict::note;
    found.text = fmt::format("{}, none active", counted(static_cast<int>(facts.fabric.size()), "port"));
    found.advice = "MPI and NCCL fall back to Ethernet: look at the cables and at ibstat";
  }
  return found;
}

}  // namespace polyhead::doctor
