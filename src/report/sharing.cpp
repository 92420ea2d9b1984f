#include "polyhead/report/sharing.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "polyhead/base/text.hpp"

namespace polyhead::report {
namespace {

using Json = nlohmann::ordered_json;

/// 1814073344 -> "1.81 G".
std::string human_count(std::int64_t count) {
  constexpr std::array<std::pair<double, const char*>, 3> kUnits{{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}}};
  const auto number = static_cast<double>(count);
  for (const auto& [unit, name] : kUnits) {
    if (number >= unit) return fmt::format("{:.3g} {}", number / unit, name);
  }
  return fmt::format("{}", count);
}

std::string weights_text(std::int64_t bytes) {
  return human_bytes(static_cast<std::uint64_t>(bytes));
}

/// 9.07, 1.81 -> "5.0x less"; empty where nothing is saved.
std::string saving(std::int64_t before, std::int64_t after) {
  if (after <= 0 || before <= after) return "";
  const double ratio = static_cast<double>(before) / static_cast<double>(after);
  if (ratio < 1.005) return "";
  return ratio < 1.95 ? fmt::format(", {:.2f}x less", ratio) : fmt::format(", {:.1f}x less", ratio);
}

std::string line_of(const char* what, const graph::Extent& extent, const std::string& more = "") {
  return fmt::format("{:<14} {:>6} {:>22} {:>12}{}\n", what, extent.nodes, human_count(extent.multiply_adds),
                     weights_text(extent.weight_bytes), more);
}

/// "a, b, c and 7 more"
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 5;
  if (names.size() <= kShown) return join(names);
  const std::vector<std::string> shown(names.begin(), names.begin() + kShown);
  return fmt::format("{} and {} more", join(shown), names.size() - kShown);
}

/// Why a member has not more in common with the one that is nearest to it.
std::string reason(const graph::Parting& parting) {
  std::string text = fmt::format("at {}: {}\n", parting.where, parting.difference);
  if (parting.drifted == 0) return text;
  text += fmt::format(
      "  running statistics alone differ in {}, as after training with the backbone in train mode; ",
      counted(parting.drifted, "batch norm"));
  text += parting.beyond.empty() ? "nothing else differs\n"
                                 : fmt::format("without that they would part at {}\n", parting.beyond);
  return text;
}

/// Why it is not more: a line for all members with the same reason.
std::string reasons(const graph::Sharing& sharing) {
  std::string text;
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;  // in the members' order
  for (const graph::MemberSharing& member : sharing.members) {
    if (member.equal_to) {
      text += fmt::format("{} computes the same as {}: the fusion would count it twice\n", member.name,
                          sharing.members[*member.equal_to].name);
    }
    if (!member.parting) continue;
    const std::string why = reason(*member.parting);
    const auto group = std::ranges::find(groups, why, &decltype(groups)::value_type::first);
    if (group == groups.end()) {
      groups.push_back({why, {member.name}});
    } else {
      group->second.push_back(member.name);
    }
  }
  for (const auto& [why, names] : groups) {
    text +=
        fmt::format("{} {} from the others {}", some_of(names), names.size() == 1 ? "parts" : "part", why);
  }
  return text;
}

Json json_of(const graph::Extent& extent) {
  return {{"nodes", extent.nodes},
          {"multiply_adds", extent.multiply_adds},
          {"weight_bytes", extent.weight_bytes}};
}

Json json_of(const graph::Sharing& sharing, const graph::MemberSharing& member) {
  Json json{{"name", member.name}, {"all", json_of(member.all)}, {"own", json_of(member.own)}};
  if (member.equal_to) json["equal_to"] = sharing.members[*member.equal_to].name;
  if (!member.parting) return json;
  const graph::Parting& parting = *member.parting;
  json["parts_from"] = {{"member", sharing.members[parting.other].name},
                        {"at", parting.where},
                        {"difference", parting.difference},
                        {"batch_norms_with_other_statistics", parting.drifted},
                        {"without_statistics_at", parting.beyond}};
  return json;
}

}  // namespace

std::string sharing_text(const graph::Sharing& sharing) {
  std::size_t width = 6;
  for (const graph::MemberSharing& member : sharing.members) width = std::max(width, member.name.size());
  std::string text = fmt::format("{:<{}}  {:>6} {:>22} {:>12}   {}\n", "member", width, "nodes",
                                 "multiply-adds an image", "weights", "own (nobody else has it)");
  for (const graph::MemberSharing& member : sharing.members) {
    text += fmt::format("{:<{}}  {:>6} {:>22} {:>12}   {}, {} multiply-adds, {}\n", member.name, width,
                        member.all.nodes, human_count(member.all.multiply_adds),
                        weights_text(member.all.weight_bytes), counted(member.own.nodes, "node"),
                        human_count(member.own.multiply_adds), weights_text(member.own.weight_bytes));
  }
  if (sharing.members.size() < 2) return text;
  text += fmt::format("\n{:<14} {:>6} {:>22} {:>12}\n", "", "nodes", "multiply-adds an image", "weights");
  text += line_of("each alone", sharing.summed);
  text +=
      line_of("merged", sharing.merged, saving(sharing.summed.multiply_adds, sharing.merged.multiply_adds));
  text += line_of("common to all", sharing.common);
  return text + "\n" + reasons(sharing);
}

std::string sharing_json(const graph::Sharing& sharing) {
  Json members = Json::array();
  for (const graph::MemberSharing& member : sharing.members) members.push_back(json_of(sharing, member));
  return Json{{"members", members},
              {"each_alone", json_of(sharing.summed)},
              {"merged", json_of(sharing.merged)},
              {"common_to_all", json_of(sharing.common)}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

}  // namespace polyhead::report
