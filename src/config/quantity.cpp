#include "quantity.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "config/yaml/node.hpp"
#include "polyhead/base/text.hpp"
#include "words.hpp"

namespace polyhead::config {
namespace {

constexpr std::uint64_t kKibi = 1024;
constexpr std::uint64_t kKilo = 1000;
constexpr std::array<Unit, 10> kSizes{{{"TiB", kKibi* kKibi* kKibi* kKibi},
                                       {"TB", kKilo* kKilo* kKilo* kKilo},
                                       {"GiB", kKibi* kKibi* kKibi},
                                       {"GB", kKilo* kKilo* kKilo},
                                       {"MiB", kKibi* kKibi},
                                       {"MB", kKilo* kKilo},
                                       {"KiB", kKibi},
                                       {"kB", kKilo},
                                       {"B", 1},
                                       {"", 1}}};
constexpr std::array<Unit, 4> kDurations{{{"h", 3'600'000}, {"min", 60'000}, {"s", 1'000}, {"ms", 1}}};

std::vector<std::string> names(std::span<const Unit> units) {
  std::vector<std::string> names;
  for (const Unit& unit : units) {
    if (!unit.name.empty()) names.emplace_back(unit.name);
  }
  return names;
}

std::string unit_hint(const Quantity& quantity, std::span<const Unit> units) {
  const auto known = names(units);
  if (quantity.unit.empty()) return fmt::format("a unit is needed: {}", join(known));
  const std::string near = did_you_mean(quantity.unit, known);
  return fmt::format("unknown unit {}{} Units: {}", shown(quantity.unit), near.empty() ? "." : ", " + near,
                     join(known));
}

}  // namespace

std::span<const Unit> size_units() {
  return kSizes;
}
std::span<const Unit> duration_units() {
  return kDurations;
}

std::optional<Quantity> split_quantity(std::string_view text) {
  Quantity quantity;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, quantity.number);
  if (error != std::errc{} || !std::isfinite(quantity.number)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  quantity.unit = text;
  return quantity;
}

std::optional<std::uint64_t> read_quantity(std::string_view text, std::span<const Unit> units,
                                           std::string& hint) {
  const auto quantity = split_quantity(text);
  if (!quantity) return std::nullopt;
  const auto unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == quantity->unit; });
  if (unit == units.end()) {
    hint = unit_hint(*quantity, units);
    return std::nullopt;
  }
  constexpr double kMaxExact = 9007199254740992.0;  // 2^53
  const double value = quantity->number * static_cast<double>(unit->factor);
  if (!(value >= 0 && value <= kMaxExact)) return std::nullopt;
  return static_cast<std::uint64_t>(std::llround(value));
}

std::string write_quantity(std::uint64_t value, std::span<const Unit> units) {
  const auto fits = [&](const Unit& unit) {
    return !unit.name.empty() && (unit.factor == 1 || (value != 0 && value % unit.factor == 0));
  };
  const auto unit = std::find_if(units.begin(), units.end(), fits);
  return fmt::format("{}{}", value / unit->factor, unit->name);
}

}  // namespace polyhead::config
