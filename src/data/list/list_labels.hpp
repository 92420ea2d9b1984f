#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "data/problems.hpp"

namespace polyhead::data {

/// Kind of a cell in a list's column of labels.
enum class LabelKind {
  empty,         ///< no text: the label is unknown
  number,        ///< a class, or -1 for unknown; "3", "3.0" and "3e0" are the same
  out_of_range,  ///< a whole number that is no class
  fraction,      ///< such as 0.7: no class, rather a score
  missing,       ///< a word for a missing value, as pandas and R write it: unknown beside numbers
  name,
};

struct ListLabel {
  LabelKind kind = LabelKind::empty;
  std::int32_t number = -1;
};

/// `cell` must have no surrounding blanks.
ListLabel read_label(std::string_view cell);

/// Labels of a list, read in two passes: only the last line tells whether they are numbers or names.
class ListLabels {
 public:
  /// `named`: `data.classes` names the classes, so numbers may be names.
  explicit ListLabels(bool named) : named_(named) {}

  /// Adds a label in the first pass. A list of more than a million different labels is a problem.
  void see(std::string_view cell, std::int64_t line, Problems& problems);
  /// Decides after the last line whether the labels are numbers or names.
  void settle(Problems& problems);
  /// Names of the classes, sorted as text; none when the labels are numbers.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  /// Label in the second pass. -1: unknown; nothing when the first pass did not see the cell.
  [[nodiscard]] std::optional<std::int32_t> label_of(std::string_view cell) const;
  /// Text for the log about missing labels; empty where there is nothing to say.
  [[nodiscard]] std::string note() const;

 private:
  struct Seen {
    std::int64_t count = 0;
    std::int64_t line = 0;  ///< first line of the label
    std::string text;
  };
  [[nodiscard]] const Seen& seen(LabelKind kind) const { return seen_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] const Seen* first_number() const;
  void settle_numbers(Problems& problems);

  bool named_;
  bool numbers_ = true;
  Seen seen_[6];
  std::int64_t lines_ = 0;
  std::set<std::string, std::less<>> texts_;  ///< distinct texts; empty again after `settle`
  std::vector<std::string> names_;
};

}  // namespace polyhead::data
