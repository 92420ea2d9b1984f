#include "manifest.hpp"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <sys/stat.h>

#include "data/files/byte_source.hpp"
#include "data/files/relative_path.hpp"
#include "data/files/sanitized.hpp"
#include "list_cells.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/image/image_names.hpp"
#include "repeated_paths.hpp"

namespace polyhead::data {
namespace {

constexpr std::size_t kHead = std::size_t{1} << 16U;  // bytes from which the format is found

/// Whether the path is "a.jpg 3", as in lists in which a space separates the label.
bool is_spaced(std::string_view path) {
  const auto split = split_at_space(path);
  return split && image::is_image_name(split->first) && read_label(split->second).kind == LabelKind::number;
}

/// Path relative to the root; absolute where it leads out of the root and may.
std::optional<std::string> resolved(const ListPlace& place, std::string_view cell) {
  if (auto path = relative_path(place.root, cell); path || place.strict || !cell.starts_with('/'))
    return path;
  const auto path = relative_path("/", cell);
  return path ? std::optional("/" + *path) : std::nullopt;
}

bool is_regular(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

Manifest::Manifest(std::istream& in, ListPlace place)
    : in_(in), place_(std::move(place)), labels_(place_.named) {}

void Manifest::note(const std::string& text) {
  if (!text.empty()) notes_.push_back(fmt::format("data: {}: {}", place_.where, text));
}

/// Reads the first lines, each with its end.
void Manifest::find_format() {
  in_.clear();
  in_.seekg(0);
  std::string head(kHead, '\0');
  head.resize(static_cast<std::size_t>(in_.rdbuf()->sgetn(head.data(), kHead)));
  if (head.size() == kHead) {
    const std::size_t end = head.find_last_of("\r\n");
    if (end != std::string::npos) head.resize(end + 1);
  }
  format_ = find_list_format(head, place_);
  if (format_.backslashes) note("its paths have backslashes, which are read as slashes");
}

/// Calls `use` for each record from the start, without header and empty lines.
void Manifest::each_record(const std::function<void(const RecordReader&)>& use) {
  in_.clear();
  in_.seekg(0);
  RecordReader record(in_, format_.dialect);
  for (bool header = format_.header; record.next();) {
    const auto& fields = record.fields();
    const bool empty = record.problem().empty() && fields.size() == 1 && trimmed(fields[0]).empty();
    if (empty || std::exchange(header, false)) continue;
    use(record);
  }
}

Manifest::Line Manifest::line_of(const RecordReader& record) {
  const auto& fields = record.fields();
  if (format_.spaced) {
    const auto split = split_at_space(fields[0]);
    split_ = split ? *split : std::pair(std::string(trimmed(fields[0])), std::string());
    return {split_.first, split_.second, std::size_t{split ? 2U : 1U}};
  }
  const auto cell = [&](std::size_t i) { return i < fields.size() ? std::string_view(fields[i]) : ""; };
  const std::string_view path = cell(format_.path);
  return {format_.path == 0 ? path : trimmed(path), format_.label ? trimmed(cell(*format_.label)) : "",
          fields.size()};
}

std::optional<std::string> Manifest::path_of(std::string_view cell) const {
  if (!format_.backslashes) return resolved(place_, cell);
  std::string slashes(cell);
  std::ranges::replace(slashes, '\\', '/');
  return resolved(place_, slashes);
}

std::pair<std::string, std::string> Manifest::problem_of(const RecordReader& record, const Line& line,
                                                         bool inside) const {
  if (!record.problem().empty()) return {record.problem(), record.problem()};
  if (format_.columns == 0 && line.cells > 2) {
    return {"cells", fmt::format("found {} fields; expected a path and a label (quote a path that holds the "
                                 "separator)",
                                 line.cells)};
  }
  if (format_.columns > 0 && line.cells != format_.columns) {
    return {"cells",
            fmt::format("found {} fields; expected {}, as in the first line (quote a path that holds "
                        "the separator)",
                        line.cells, format_.columns)};
  }
  if (line.path.empty()) return {"empty", "found an empty path; expected the path of an image"};
  if (!format_.spaced && line.cells == 1 && is_spaced(line.path) &&
      !(place_.is_file && place_.is_file(line.path))) {
    return {"spaced",
            fmt::format("found '{}'; expected a comma or a tab between path and label, or a space in "
                        "every line",
                        sanitized(line.path))};
  }
  if (inside) return {};
  return {"outside", fmt::format("found the path '{}'; expected one inside {} (data.root chooses the folder)",
                                 sanitized(line.path), place_.root)};
}

void Manifest::check(Progress progress) {
  find_format();
  Problems problems(place_.where);
  std::int64_t lines = 0;
  each_record([&](const RecordReader& record) {
    progress.lines(++lines);
    const Line line = line_of(record);
    const auto [cause, text] = problem_of(record, line, path_of(line.path).has_value());
    cause.empty() ? labels_.see(line.label, record.line(), problems)
                  : problems.add(record.line(), cause, text);
  });
  labels_.settle(problems);
  if (lines == 0) {
    throw Error(ExitCode::bad_data,
                fmt::format("{}: found no lines; expected `path,label` on each", place_.where));
  }
  if (!problems.empty()) throw Error(ExitCode::bad_data, problems.text());
  note(labels_.note());
}

void Manifest::list(const std::function<void(const std::string& path, std::int32_t label)>& sample) {
  RepeatedPaths repeated;
  each_record([&](const RecordReader& record) {
    const Line line = line_of(record);
    const auto label = labels_.label_of(line.label);
    const auto path = path_of(line.path);
    if (!label || !problem_of(record, line, path.has_value()).first.empty()) {
      throw Error(ExitCode::bad_data,
                  fmt::format("{}:{}: changed while it was read; start again", place_.where, record.line()));
    }
    repeated.add(*path, record.line(), *label);
    sample(*path, *label);
  });
  note(repeated.settle(place_.where));
}

bool is_manifest_name(std::string_view name) {
  const std::string end = image::lower(name);
  return end.ends_with(".csv") || end.ends_with(".tsv") || end.ends_with(".txt");
}

void scan_manifest(ListPlace place, SampleIndexBuilder& samples) try {
  const Stamp stamp = FileSource(place.where).stamp();  // refuses what cannot be read twice, such as a pipe
  std::ifstream in(place.where, std::ios::binary);
  const std::uint32_t file = samples.add_file(place.where, "", stamp);
  place.is_file = [place](std::string_view cell) {
    const auto path = resolved(place, cell);
    return path && is_regular(within(place.root, *path));
  };
  Manifest list(in, place);
  list.check();
  for (const std::string& name : list.class_names()) samples.add_class(name);
  list.list([&](const std::string& path, std::int32_t label) {
    samples.add(path, {.file = file, .label = label});
  });
  for (const std::string& note : list.notes()) samples.note(note);
} catch (const std::ios_base::failure&) {  // a file buffer reports failed reads in this way
  throw Error(ExitCode::io_error, fmt::format("{}: reading it failed", place.where));
}

}  // namespace polyhead::data
