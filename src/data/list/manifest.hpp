#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/image_folder/record_reader.hpp"
#include "data/index/sample_index_builder.hpp"
#include "data/problems.hpp"
#include "data/progress.hpp"
#include "list_format.hpp"
#include "list_labels.hpp"

namespace polyhead::data {

/// A list of images: path and label per line, the label a number, a class name, or missing. The first lines
/// tell its format. It is read twice, since only the last line tells whether the labels are numbers. It is
/// never in memory as a whole.
class Manifest {
 public:
  Manifest(std::istream& in, ListPlace place);

  /// First pass. Throws Error(bad_data) with the problems, three lines of each kind, and what
  /// `find_list_format` throws. `progress` is called for every line.
  void check(Progress progress = Progress());
  /// Names of the classes, sorted; none when the labels are numbers.
  [[nodiscard]] const std::vector<std::string>& class_names() const { return labels_.names(); }
  /// Second pass: gives path and label. The path is relative to the root, or absolute where it leads out and
  /// may. Throws Error(bad_data) when the file has changed since, or an image has two labels.
  void list(const std::function<void(const std::string& path, std::int32_t label)>& sample);
  /// Notes for the log about the list, after `list`.
  [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Line {
    std::string_view path;
    std::string_view label;
    std::size_t cells = 0;
  };
  void each_record(const std::function<void(const RecordReader&)>& use);
  void find_format();
  [[nodiscard]] Line line_of(const RecordReader& record);
  [[nodiscard]] std::optional<std::string> path_of(std::string_view cell) const;
  /// Cause and text; the cause is empty if there is none. `inside`: whether the path has a meaning.
  [[nodiscard]] std::pair<std::string, std::string> problem_of(const RecordReader& record, const Line& line,
                                                               bool inside) const;
  void note(const std::string& text);

  std::istream& in_;
  ListPlace place_;
  ListFormat format_;
  ListLabels labels_;
  std::pair<std::string, std::string> split_;  ///< path and label of the current record
  std::vector<std::string> notes_;
};

/// Whether the name ends in .csv, .tsv or .txt.
bool is_manifest_name(std::string_view name);

/// Adds the samples of the list `place.where`; `place.is_file` is set here. Throws Error (no_input, bad_data,
/// config, io_error).
void scan_manifest(ListPlace place, SampleIndexBuilder& samples);

}  // namespace polyhead::data
