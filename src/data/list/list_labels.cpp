#include "list_labels.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "data/files/sanitized.hpp"
#include "polyhead/image/image_names.hpp"

namespace polyhead::data {
namespace {

constexpr std::size_t kMaxLabels = 1'000'000;
constexpr std::int64_t kMaxLabel = std::numeric_limits<std::int32_t>::max();

template <class Number>
bool reads_as(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

/// Whether the text is digits with a sign, a point or an exponent; neither "inf" nor "0x10".
bool is_numeric(std::string_view text) {
  constexpr std::string_view kAllowed = "0123456789+-.eE";
  const std::size_t start = text.starts_with('-') ? 1 : 0;
  return text.size() > start && (text[start] == '.' || (text[start] >= '0' && text[start] <= '9')) &&
         text.find_first_not_of(kAllowed) == std::string_view::npos;
}

/// Whether the text is a missing value in pandas' `read_csv`, except for those that are likely names.
bool is_missing(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kWords{"nan",  "na",   "n/a",  "#n/a", "#na",
                                                          "-nan", "<na>", "null", "none"};
  constexpr std::size_t kMax = 4;
  return text.size() <= kMax && std::ranges::find(kWords, image::lower(text)) != kWords.end();
}

/// Whether the text is a number as Python prints it: "[3]", "(3,)", "'3'", "tensor(3)". Such labels would be
/// sorted as text.
bool is_wrapped_number(std::string_view text) {
  constexpr std::string_view kTensor = "tensor(";
  constexpr std::string_view kOpening = "[({'\"";
  if (text.starts_with(kTensor)) text.remove_prefix(kTensor.size() - 1);
  const std::size_t start = text.find_first_not_of(kOpening);
  const std::size_t end = text.find_last_not_of("])}'\",");
  if (start == 0 || start == std::string_view::npos || end == std::string_view::npos || end < start)
    return false;
  return is_numeric(text.substr(start, end + 1 - start));
}

ListLabel whole(double value) {
  if (value < -1 || value > static_cast<double>(kMaxLabel)) return {LabelKind::out_of_range, -1};
  return {LabelKind::number, static_cast<std::int32_t>(value)};
}

}  // namespace

ListLabel read_label(std::string_view cell) {
  if (cell.empty()) return {};
  if (is_numeric(cell)) {
    std::int64_t integer = 0;
    if (reads_as(cell, integer)) return whole(static_cast<double>(integer));
    double value = 0;
    const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
    const bool all = end == cell.data() + cell.size();
    if (all && error == std::errc::result_out_of_range) return {LabelKind::out_of_range, -1};
    if (all && error == std::errc()) {
      return value == std::trunc(value) ? whole(value) : ListLabel{LabelKind::fraction, -1};
    }
  }
  return {is_missing(cell) ? LabelKind::missing : LabelKind::name, -1};
}

void ListLabels::see(std::string_view cell, std::int64_t line, Problems& problems) {
  ++lines_;
  Seen& kind = seen_[static_cast<std::size_t>(read_label(cell).kind)];
  if (++kind.count == 1) {
    kind.line = line;
    kind.text = cell;
  }
  if (cell.empty() || texts_.size() > kMaxLabels || texts_.contains(cell)) return;
  texts_.emplace(cell);
  if (texts_.size() <= kMaxLabels) return;
  problems.add(line, "labels",
               fmt::format("found more than {} different labels; expected classes", kMaxLabels));
}

const ListLabels::Seen* ListLabels::first_number() const {
  const Seen* first = nullptr;
  for (const LabelKind kind : {LabelKind::number, LabelKind::fraction, LabelKind::out_of_range}) {
    const Seen& found = seen(kind);
    if (found.count > 0 && (first == nullptr || found.line < first->line)) first = &found;
  }
  return first;
}

void ListLabels::settle_numbers(Problems& problems) {
  if (const Seen& bad = seen(LabelKind::fraction); bad.count > 0) {
    problems.add(bad.line, "fraction",
                 fmt::format("found the label {}; expected the number of a class, or a class name: is this "
                             "column a score? data.columns chooses another",
                             sanitized(bad.text)));
  }
  if (const Seen& bad = seen(LabelKind::out_of_range); bad.count > 0) {
    problems.add(
        bad.line, "range",
        fmt::format("found the label {}; expected a class from 0 to {}, or -1 or nothing for unknown",
                    sanitized(bad.text), kMaxLabel));
  }
}

void ListLabels::settle(Problems& problems) {
  const Seen* number = first_number();
  const Seen& name = seen(LabelKind::name);
  numbers_ = name.count == 0;
  if (numbers_) {
    settle_numbers(problems);
  } else if (number != nullptr && !named_) {
    problems.add(std::max(name.line, number->line), "mixed",
                 fmt::format("found the label '{}' (line {}), a number, and '{}' (line {}), a name; expected "
                             "one kind: mend these lines, or, where all are names, list them in data.classes "
                             "in the order of the heads' outputs",
                             sanitized(number->text), number->line, sanitized(name.text), name.line));
  } else if (!named_ && std::ranges::all_of(texts_, is_wrapped_number)) {
    problems.add(
        name.line, "wrapped",
        fmt::format("found the label {}; expected the number alone: as names, such labels would be sorted as "
                    "text, 10 before 2",
                    sanitized(name.text)));
  } else {
    names_.assign(texts_.begin(), texts_.end());
  }
  texts_.clear();
}

std::optional<std::int32_t> ListLabels::label_of(std::string_view cell) const {
  if (cell.empty()) return -1;
  if (numbers_) {
    const ListLabel label = read_label(cell);
    if (label.kind != LabelKind::number && label.kind != LabelKind::missing) return std::nullopt;
    return label.number;
  }
  const auto name = std::ranges::lower_bound(names_, cell);
  if (name == names_.end() || *name != cell) return std::nullopt;
  return static_cast<std::int32_t>(name - names_.begin());
}

std::string ListLabels::note() const {
  const Seen& missing = seen(LabelKind::missing);
  if (!numbers_ && missing.count > 0) {
    return fmt::format(
        "the label '{}' (line {} and {} more) is taken for the name of a class; leave the cell empty where "
        "the "
        "label is unknown",
        sanitized(missing.text), missing.line, missing.count - 1);
  }
  const Seen& empty = seen(LabelKind::empty);
  const std::int64_t unknown = empty.count + missing.count;
  if (unknown == 0 || (unknown == lines_ && missing.count == 0)) return "";
  const bool empty_first = missing.count == 0 || (empty.count > 0 && empty.line < missing.line);
  return fmt::format(
      "{} of {} lines have no label (the first is line {}): these samples count as unknown, -1", unknown,
      lines_, empty_first ? empty.line : missing.line);
}

}  // namespace polyhead::data
