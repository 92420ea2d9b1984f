#include "polyhead/run/label_map.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::run {
namespace {

using Entries = std::vector<config::ClassMap::Entry>;
constexpr std::size_t kShown = 10;

/// Text "cat, dog, ... (12 in all)".
std::string shown(const std::vector<std::string>& names) {
  if (names.size() <= kShown) return join(names);
  const std::vector<std::string> some(names.begin(), names.begin() + kShown);
  return fmt::format("{}, ... ({} in all)", join(some), names.size());
}

Entries read_names(const std::filesystem::path& file) {
  std::ifstream stream(file);
  Entries entries;
  std::set<std::string> seen;
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    if (!seen.insert(line).second) {
      throw Error(
          ExitCode::config,
          fmt::format("{}: the class '{}' is there twice; expected the name of each output, one a line",
                      file.string(), line));
    }
    entries.push_back({line, -1});
  }
  if (!stream.eof() || entries.empty()) {
    throw Error(ExitCode::config,
                fmt::format("{}: holds no class names; expected one a line", file.string()));
  }
  return entries;
}

std::optional<std::int32_t> number_of(const std::string& text) {
  std::int32_t value = -1;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  return error == std::errc{} && end == last && value >= 0 ? std::optional(value) : std::nullopt;
}

/// Numbers the entries of a list, and checks that all outputs exist.
void number(Entries& entries, std::int64_t outputs) {
  if (entries.front().output < 0) {
    if (static_cast<std::int64_t>(entries.size()) != outputs) {
      throw Error(ExitCode::config, fmt::format("data.classes names {} classes, but the heads give {} scores",
                                                entries.size(), outputs));
    }
    for (std::size_t i = 0; i < entries.size(); ++i) entries[i].output = static_cast<std::int32_t>(i);
  }
  for (const auto& entry : entries) {
    if (entry.output < outputs) continue;
    throw Error(ExitCode::config,
                fmt::format("data.classes maps '{}' to output {}, but the heads give {} scores (0 to {})",
                            entry.label, entry.output, outputs, outputs - 1));
  }
}

/// Label that an entry is about: by name where the data set has names, by number where it has none. Nothing
/// for a class that is not in this data set.
std::optional<std::int32_t> label_of(const std::string& entry,
                                     const std::unordered_map<std::string, std::int32_t>& by_name,
                                     bool in_list, std::int32_t place) {
  if (!by_name.empty()) {
    const auto found = by_name.find(entry);
    return found == by_name.end() ? std::nullopt : std::optional(found->second);
  }
  if (in_list) return place;  // unnamed labels count as the outputs do
  const auto number = number_of(entry);
  if (!number) {
    throw Error(ExitCode::config,
                fmt::format("data.classes: '{}' is not the number of a label, and the data set has no class "
                            "names; expected a map from numbers to outputs, or a list of names",
                            entry));
  }
  return number;
}

}  // namespace

LabelMap::LabelMap(const config::ClassMap& classes, const std::vector<std::string>& names,
                   std::int64_t outputs) {
  Entries entries = classes.file.empty() ? classes.entries : read_names(classes.file);
  if (entries.empty()) {
    match_widths(names, outputs);
    return;
  }
  identity_ = false;
  const bool in_list = entries.front().output < 0;
  number(entries, outputs);

  std::unordered_map<std::string, std::int32_t> by_name;
  for (const std::string& name : names) by_name.emplace(name, static_cast<std::int32_t>(by_name.size()));
  output_of_.assign(names.size(), kNoOutput);
  for (const auto& entry : entries) {
    const auto label = label_of(entry.label, by_name, in_list, entry.output);
    if (!label) continue;
    const auto at = static_cast<std::size_t>(*label);
    if (at >= output_of_.size()) output_of_.resize(at + 1, kNoOutput);
    output_of_[at] = entry.output;
  }
  place(entries, names, outputs);
}

/// Checks that the names of the data set are the outputs, without data.classes.
void LabelMap::match_widths(const std::vector<std::string>& names, std::int64_t outputs) {
  if (names.empty()) return;
  if (static_cast<std::int64_t>(names.size()) != outputs) {
    throw Error(ExitCode::config,
                fmt::format("the data set has {} classes ({}), but the heads give {} scores; say with "
                            "data.classes which output each class is, or take heads for these classes",
                            names.size(), shown(names), outputs));
  }
  output_names_ = names;
}

/// Names the outputs, and checks that every class of the data set has one.
void LabelMap::place(const Entries& entries, const std::vector<std::string>& names, std::int64_t outputs) {
  std::vector<std::string> missing;
  for (std::size_t label = 0; label < names.size(); ++label) {
    if (output_of_[label] == kNoOutput) missing.push_back(names[label]);
  }
  if (!missing.empty()) {
    std::vector<std::string> known;
    for (const auto& entry : entries) known.push_back(entry.label);
    const auto near = closest(missing.front(), known);
    throw Error(
        ExitCode::config,
        fmt::format("data.classes has no output for {} of the data set's {} classes: {}{}", missing.size(),
                    names.size(), shown(missing), near ? fmt::format("; did you mean '{}'?", *near) : ""));
  }
  for (std::int64_t i = 0; i < outputs; ++i) output_names_.push_back(fmt::to_string(i));
  if (names.empty() && number_of(entries.front().label)) return output_names_.clear();
  for (const auto& entry : entries) output_names_[static_cast<std::size_t>(entry.output)] = entry.label;
}

void LabelMap::apply(std::span<std::int32_t> labels) const {
  if (identity_) return;
  for (std::int32_t& label : labels) {
    if (label < 0) continue;
    const auto at = static_cast<std::size_t>(label);
    label = at < output_of_.size() ? output_of_[at] : kNoOutput;
  }
}

}  // namespace polyhead::run
