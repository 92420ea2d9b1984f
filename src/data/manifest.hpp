#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "progress.hpp"
#include "record_reader.hpp"
#include "sample_index_builder.hpp"

namespace polyhead::data {

/// A list of images: `path,label` a line, the label a number, a class name, or missing. Read twice, since
/// only the last line tells whether the labels are numbers; never in memory as a whole.
class Manifest {
 public:
  /// `where` names it in messages and tells by its suffix how it is written; `root`: absolute folder that the
  /// paths are relative to.
  Manifest(std::istream& in, std::string where, std::string root);

  /// The first reading. Throws Error(bad_data) with up to 20 problems, each with its line.
  /// `progress` hears of every line.
  void check(Progress progress = Progress());
  /// Names of the classes, sorted; none when the labels are numbers.
  [[nodiscard]] const std::vector<std::string>& class_names() const { return names_; }
  /// The second reading: path relative to the root, and label. Throws Error(bad_data) when the file has
  /// changed since.
  void list(const std::function<void(const std::string& path, std::int32_t label)>& sample);

 private:
  void each_record(const std::function<bool(const RecordReader&)>& use);
  void check_record(const RecordReader& record);
  void check_label(std::string_view label, std::int64_t line);
  [[nodiscard]] std::string problem_of(const RecordReader& record) const;
  [[nodiscard]] std::optional<std::int32_t> label_of(std::string_view label) const;
  void complain(std::int64_t line, std::string_view problem);

  std::istream& in_;
  std::string where_;
  std::string root_;
  std::set<std::string, std::less<>> labels_;  ///< all texts seen; empty again after `check`
  std::vector<std::string> names_;
  bool numbers_ = true;
  std::optional<std::pair<std::int64_t, std::string>> bad_number_;  ///< first line with one
  std::vector<std::string> problems_;
};

/// Whether the name ends in .csv, .tsv or .txt.
bool is_manifest_name(std::string_view name);

/// Throws Error (no_input, bad_data, io_error).
void scan_manifest(const std::string& manifest, const std::string& root, SampleIndexBuilder& samples);

}  // namespace polyhead::data
