#include "manifest.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "byte_source.hpp"
#include "image_names.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "relative_path.hpp"
#include "shown.hpp"

namespace polyhead::data {
namespace {

constexpr std::size_t kMostProblems = 20;
constexpr std::size_t kMostLabels = 1'000'000;
constexpr std::int64_t kLargestLabel = std::numeric_limits<std::int32_t>::max();

std::string_view trimmed(std::string_view text) {
  const std::size_t first = std::min(text.find_first_not_of(" \t"), text.size());
  text.remove_prefix(first);
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

bool is_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Nothing when it is no class's number, and not -1 for unknown.
std::optional<std::int32_t> number_of(std::string_view label) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), number);
  if (error != std::errc() || end != label.data() + label.size()) return std::nullopt;
  if (number < -1 || number > kLargestLabel) return std::nullopt;
  return static_cast<std::int32_t>(number);
}

std::string_view label_in(const RecordReader& record) {
  return record.fields().size() < 2 ? std::string_view() : trimmed(record.fields()[1]);
}

bool is_header(const RecordReader& record) {
  const auto& fields = record.fields();
  return fields[0] == "path" && (fields.size() == 1 || trimmed(fields[1]) == "label");
}

/// "a.jpg 3": the label is set off by a space, as in Caffe's lists.
bool is_spaced(std::string_view path) {
  const std::size_t space = path.find_last_of(" \t");
  return space != std::string_view::npos && is_integer(path.substr(space + 1)) &&
         is_image_name(trimmed(path.substr(0, space)));
}

/// Text files have no fixed separator: a tab if the first line has one, else a comma.
Dialect dialect_of(std::istream& in, std::string_view where) {
  const std::string name = lower(where);
  if (name.ends_with(".csv")) return {',', true};
  if (name.ends_with(".tsv")) return {'\t', false};
  for (int c = in.get(); c != '\n' && c != std::char_traits<char>::eof(); c = in.get()) {
    if (c == '\t') return {'\t', false};
  }
  return {',', false};
}

}  // namespace

Manifest::Manifest(std::istream& in, std::string where, std::string root)
    : in_(in), where_(std::move(where)), root_(std::move(root)) {}

void Manifest::complain(std::int64_t line, std::string_view problem) {
  problems_.push_back(fmt::format("{}:{}: {}", where_, line, problem));
}

/// From the top, without header and empty lines, until `use` returns false.
void Manifest::each_record(const std::function<bool(const RecordReader&)>& use) {
  const auto rewind = [&] {
    in_.clear();
    in_.seekg(0);
  };
  rewind();
  const Dialect dialect = dialect_of(in_, where_);
  rewind();
  RecordReader record(in_, dialect);
  for (bool first = true; record.next(); first = false) {
    const bool empty = record.problem().empty() && record.fields().size() == 1 && record.fields()[0].empty();
    if (empty || (first && is_header(record))) continue;
    if (!use(record)) return;
  }
}

std::string Manifest::problem_of(const RecordReader& record) const {
  if (!record.problem().empty()) return record.problem();
  const auto& fields = record.fields();
  if (fields.size() > 2) {
    return fmt::format("found {} fields; expected a path and a label (quote a path that holds the separator)",
                       fields.size());
  }
  if (fields[0].empty()) return "found an empty path; expected the path of an image";
  if (fields.size() == 1 && is_spaced(fields[0])) {
    return fmt::format("found '{}'; expected a comma or a tab between path and label", shown(fields[0]));
  }
  if (!relative_path(root_, fields[0])) {
    return fmt::format("found the path '{}'; expected one inside {} (data.root chooses the folder)",
                       shown(fields[0]), root_);
  }
  return "";
}

void Manifest::check_label(std::string_view label, std::int64_t line) {
  if (label.empty()) return;
  const bool integer = is_integer(label);
  numbers_ = numbers_ && integer;
  if (integer && !bad_number_ && !number_of(label)) bad_number_.emplace(line, label);
  if (labels_.contains(label)) return;
  labels_.emplace(label);
  if (labels_.size() > kMostLabels) {
    complain(line, fmt::format("found more than {} different labels; expected classes", kMostLabels));
  }
}

void Manifest::check_record(const RecordReader& record) {
  const std::string problem = problem_of(record);
  if (!problem.empty()) return complain(record.line(), problem);
  check_label(label_in(record), record.line());
}

void Manifest::check(Progress progress) {
  std::int64_t lines = 0;
  each_record([&](const RecordReader& record) {
    progress.lines(++lines);
    check_record(record);
    return problems_.size() < kMostProblems && labels_.size() <= kMostLabels;
  });
  if (numbers_ && bad_number_) {
    complain(bad_number_->first, fmt::format("found the label {}; expected a class from 0 to {}, or -1 or "
                                             "nothing for unknown",
                                             shown(bad_number_->second), kLargestLabel));
  }
  if (lines == 0)
    problems_.push_back(fmt::format("{}: found no lines; expected `path,label` on each", where_));
  if (!problems_.empty()) throw Error(ExitCode::bad_data, join(problems_, "\n"));
  if (!numbers_) names_.assign(labels_.begin(), labels_.end());
  labels_.clear();
}

std::optional<std::int32_t> Manifest::label_of(std::string_view label) const {
  if (label.empty()) return -1;
  if (numbers_) return number_of(label);
  const auto name = std::ranges::lower_bound(names_, label);
  if (name == names_.end() || *name != label) return std::nullopt;
  return static_cast<std::int32_t>(name - names_.begin());
}

void Manifest::list(const std::function<void(const std::string& path, std::int32_t label)>& sample) {
  each_record([&](const RecordReader& record) {
    const auto label = label_of(label_in(record));
    if (!label || !problem_of(record).empty()) {
      throw Error(ExitCode::bad_data,
                  fmt::format("{}:{}: changed while it was read; start again", where_, record.line()));
    }
    sample(*relative_path(root_, record.fields()[0]), *label);
    return true;
  });
}

bool is_manifest_name(std::string_view name) {
  const std::string end = lower(name);
  return end.ends_with(".csv") || end.ends_with(".tsv") || end.ends_with(".txt");
}

void scan_manifest(const std::string& manifest, const std::string& root, SampleIndexBuilder& samples) try {
  const Stamp stamp = FileSource(manifest).stamp();  // a pipe, for one, cannot be read twice
  std::ifstream in(manifest, std::ios::binary);
  const std::uint32_t file = samples.add_file(manifest, "", stamp);
  Manifest list(in, manifest, root);
  list.check();
  for (const std::string& name : list.class_names()) samples.add_class(name);
  list.list([&](const std::string& path, std::int32_t label) {
    samples.add(path, {.file = file, .label = label});
  });
} catch (const std::ios_base::failure&) {  // the way in which a file buffer tells that reading failed
  throw Error(ExitCode::io_error, fmt::format("{}: reading it failed", manifest));
}

}  // namespace polyhead::data
