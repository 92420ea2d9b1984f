#include "syntax.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "brackets.hpp"
#include "utf8.hpp"

namespace polyhead::config {
namespace {

constexpr std::string_view kBlanks = " \t";

/// A line of the text without its end.
struct Line {
  int number = 1;
  std::string_view text;

  [[nodiscard]] std::size_t indent() const { return std::min(text.find_first_not_of(kBlanks), text.size()); }
  [[nodiscard]] std::string_view content() const { return text.substr(indent()); }
  [[nodiscard]] bool says_nothing() const { return content().empty() || content().starts_with('#'); }
  /// Column where the key begins, after the dash of a list's item.
  [[nodiscard]] std::size_t key_column() const {
    std::size_t at = indent();
    while (text.substr(at).starts_with("- ")) at = std::min(text.find_first_not_of(' ', at + 1), text.size());
    return at;
  }
  [[nodiscard]] std::string_view key() const { return text.substr(key_column()); }
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back({number, line});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find_first_of(" \t:"));
}

/// Character that looks like another one and comes with text copied from documents.
struct LookAlike {
  std::string_view bytes;
  std::string_view what;
};
constexpr std::array kLookAlikes{
    LookAlike{"\xEF\xBC\x9A", "a full-width colon (U+FF1A); YAML wants an ordinary : and a space"},
    LookAlike{"\xC2\xA0", "a no-break space (U+00A0); YAML wants ordinary spaces"},
    LookAlike{"\xE3\x80\x80", "a full-width space (U+3000); YAML wants ordinary spaces"},
    LookAlike{"\xE2\x80\x8B", "a zero-width space (U+200B); delete it"},
    LookAlike{"\xE2\x80\x9C", "a curly quote (U+201C); YAML wants an ordinary \""},
    LookAlike{"\xE2\x80\x9D", "a curly quote (U+201D); YAML wants an ordinary \""},
    LookAlike{"\xE2\x80\x98", "a curly quote (U+2018); YAML wants an ordinary '"},
    LookAlike{"\xE2\x80\x99", "a curly quote (U+2019); YAML wants an ordinary '"}};

/// Finds the mistake from the place at which the parser gave up.
class Guess {
 public:
  Guess(const std::string& text, int line, int column, std::string_view message)
      : text_(text), lines_(lines_of(text)), line_(line), column_(column), message_(message) {}

  SyntaxFault run() {
    using Try = std::optional<SyntaxFault> (Guess::*)() const;
    for (const Try attempt :
         {&Guess::conflict, &Guess::tab, &Guess::look_alike, &Guess::bracket, &Guess::colon, &Guess::quotes,
          &Guess::dash, &Guess::indentation, &Guess::character}) {
      if (auto fault = (this->*attempt)()) return *std::move(fault);
    }
    return {line_, column_, ""};
  }

 private:
  [[nodiscard]] Line here() const {
    return line_ <= static_cast<int>(lines_.size()) ? lines_[static_cast<std::size_t>(line_ - 1)]
                                                    : Line{line_, {}};
  }

  /// Last line with content before the parser's.
  [[nodiscard]] std::optional<Line> before() const {
    for (int number = std::min(line_ - 1, static_cast<int>(lines_.size())); number > 0; --number) {
      const Line& line = lines_[static_cast<std::size_t>(number - 1)];
      if (!line.says_nothing()) return line;
    }
    return std::nullopt;
  }

  /// Text at the parser's place, and the text before it in its line.
  [[nodiscard]] std::string_view at() const {
    const auto from = static_cast<std::size_t>(std::max(0, column_ - 1));
    return here().text.substr(std::min(from, here().text.size()));
  }
  [[nodiscard]] std::string_view left() const {
    return here().text.substr(0, here().text.size() - at().size());
  }
  [[nodiscard]] bool says(std::string_view words) const { return message_.find(words) != message_.npos; }

  static SyntaxFault fault(const Line& line, std::size_t offset, std::string text) {
    return {line.number, static_cast<int>(offset) + 1, std::move(text)};
  }
  [[nodiscard]] SyntaxFault fault(std::string text) const { return {line_, column_, std::move(text)}; }

  [[nodiscard]] std::optional<SyntaxFault> conflict() const {
    for (const Line& line : lines_) {
      if (line.number > line_) break;
      if (line.text.starts_with("<<<<<<<") || line.text.starts_with("=======") ||
          line.text.starts_with(">>>>>>>"))
        return fault(line, 0, "a merge conflict was left in the file");
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<SyntaxFault> tab() const {
    for (const auto& line : {std::optional(here()), before()}) {
      if (!line) continue;
      const std::size_t at = line->text.find('\t');
      if (at < line->indent()) return fault(*line, at, "this line is indented with a tab; YAML wants spaces");
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<SyntaxFault> look_alike() const {
    for (const auto& line : {std::optional(here()), before()}) {
      if (!line) continue;
      for (const LookAlike& one : kLookAlikes) {
        const std::size_t at = line->text.find(one.bytes);
        if (at != std::string_view::npos) return fault(*line, at, fmt::format("found {}", one.what));
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::optional<SyntaxFault> bracket() const {
    const bool is_end = says("illegal flow end");
    if (!is_end && !says("flow not found")) return std::nullopt;
    // The parser reports 1:1 for the end of a text without a last line break.
    const std::size_t end = line_ == 1 && column_ == 1 ? text_.size() : offset_of(text_, line_, column_);
    const std::vector<Bracket> open = open_brackets(std::string_view(text_).substr(0, end));
    if (is_end && open.empty())
      return fault(fmt::format("nothing is open that this {} closes", at().substr(0, 1)));
    if (open.empty()) return std::nullopt;
    const Bracket& last = open.back();
    if (!is_end && last.line == line_ && at().starts_with(':'))
      return fault("a comma is missing before this, or the text wants quotes");
    return SyntaxFault{last.line, last.column,
                       fmt::format("this {} is not closed: its {} is missing", last.open, last.close())};
  }

  /// Looks for a key without its colon, which makes one text with the next line.
  [[nodiscard]] std::optional<SyntaxFault> colon() const {
    if (!says("illegal map value")) return std::nullopt;
    if (left().substr(here().indent()).find(": ") != std::string_view::npos)
      return fault("a second ': ' in one line; put a text with a colon in quotes");
    for (const auto& line : {before(), std::optional(here())}) {
      if (!line) continue;
      if (line->content().starts_with('-') && !line->content().starts_with("- "))
        return fault(*line, line->indent() + 1, "a space is missing after this -");
    }
    const auto line = before();
    if (!line) return std::nullopt;
    if (auto found = colon_in(*line)) return found;
    if (here().key_column() <= line->key_column()) return std::nullopt;
    return fault(here(), here().indent(),
                 fmt::format("this line begins further right than '{}' in line {}, so it counts as part of "
                             "that value; begin both in the same column",
                             first_word(line->key()), line->number));
  }

  [[nodiscard]] static std::optional<SyntaxFault> colon_in(const Line& line) {
    const std::string_view key = line.key();
    if (key.ends_with(':') || key.find(": ") != std::string_view::npos) return std::nullopt;
    const std::string_view word = first_word(key);
    const std::size_t behind = line.key_column() + word.size();
    if (key.substr(word.size()).starts_with(':'))
      return fault(line, behind + 1, fmt::format("a space is missing after '{}:'", word));
    return fault(line, behind, fmt::format("a colon is missing after '{}'", word));
  }

  [[nodiscard]] bool is_first_in_line() const { return left().size() == here().indent() && !at().empty(); }
  [[nodiscard]] bool wants_end() const {
    return says("end of map not found") || says("end of sequence not found");
  }

  [[nodiscard]] std::optional<SyntaxFault> quotes() const {
    if (!wants_end() || is_first_in_line()) return std::nullopt;
    const std::size_t last = left().find_last_not_of(kBlanks);
    const char c = last == std::string_view::npos ? ' ' : left()[last];
    if (c == '"' || c == '\'')
      return fault(fmt::format("text behind a closing {0}; inside such quotes write {1} for {0}", c,
                               c == '"' ? "\\\"" : "''"));
    if (c == ']' || c == '}') return fault(fmt::format("text behind the closing {}", c));
    return std::nullopt;
  }

  [[nodiscard]] std::optional<SyntaxFault> dash() const {
    if (says("illegal block entry")) return fault("a list's items begin on lines of their own");
    if (!wants_end() || !is_first_in_line() || !at().starts_with("- ") || says("end of sequence"))
      return std::nullopt;
    return fault("a list's item beside keys; indent it below the key that it belongs to");
  }

  /// Columns at which the enclosing lines before this one begin.
  [[nodiscard]] std::vector<std::size_t> open_columns() const {
    std::vector<std::size_t> columns;
    for (const Line& line : lines_) {
      if (line.number >= line_) break;
      if (line.says_nothing()) continue;
      std::erase_if(columns, [&](std::size_t column) { return column > line.indent(); });
      for (const std::size_t column : {line.indent(), line.key_column()})
        if (columns.empty() || columns.back() != column) columns.push_back(column);
    }
    return columns;
  }

  [[nodiscard]] std::optional<SyntaxFault> indentation() const {
    if (!wants_end() || !is_first_in_line()) return std::nullopt;
    std::string columns;
    for (const std::size_t column : open_columns()) {
      if (column == here().indent()) return std::nullopt;
      columns += fmt::format("{}{}", columns.empty() ? "" : ", ", column + 1);
    }
    return fault(fmt::format("this line begins in column {}; what it may belong to begins in column {}",
                             here().indent() + 1, columns));
  }

  [[nodiscard]] std::optional<SyntaxFault> character() const {
    if (says("unknown token"))
      return fault(fmt::format("a text cannot begin with {}; put it in quotes", at().substr(0, 1)));
    if (says("unknown escape"))
      return fault(
          "in double quotes a backslash begins an escape as \\n; take single quotes for a text with "
          "backslashes");
    if (says("block scalar"))
      return fault("| and > begin a block of lines; put a text that starts with them in quotes");
    return std::nullopt;
  }

  const std::string& text_;
  std::vector<Line> lines_;
  int line_;
  int column_;
  std::string_view message_;
};

/// Text for a terminal: one column per character.
std::string visible(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    result += c == '\t' ? "→" : std::string(1, control ? ' ' : c);
  }
  return result;
}

}  // namespace

SyntaxFault guess_syntax_fault(const std::string& text, int line, int column, const std::string& message) {
  return Guess(text, line, column, message).run();
}

std::size_t offset_of(const std::string& text, int line, int column) {
  std::size_t at = 0;
  for (int i = 1; i < line && at < text.size(); ++i) at = std::min(text.find('\n', at), text.size() - 1) + 1;
  return std::min(at + static_cast<std::size_t>(std::max(0, column - 1)), text.size());
}

bool is_closed_quote(const std::string& text, std::size_t offset) {
  const char quote = text[offset];
  for (std::size_t i = offset + 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 == text.size() || text[i + 1] != quote) return true;
      ++i;  // '' inside single quotes is one quote
    }
  }
  return false;
}

std::string excerpt(const std::string& text, int line, int column) {
  constexpr std::size_t kBefore = 60;
  constexpr std::size_t kWidth = 100;
  const std::size_t start = offset_of(text, line, 1);
  std::string_view whole = std::string_view(text).substr(start);
  whole = whole.substr(0, whole.find('\n'));
  const std::size_t at = std::min(static_cast<std::size_t>(std::max(0, column - 1)), whole.size());
  std::size_t from = at > kBefore ? at - kBefore : 0;
  while (from > 0 && continues_a_character(whole[from])) --from;
  std::size_t end = std::min(whole.size(), from + kWidth);
  while (end < whole.size() && continues_a_character(whole[end])) ++end;
  const std::string_view left = whole.substr(from, at - from);
  const auto columns =
      left.size() - static_cast<std::size_t>(std::ranges::count_if(left, continues_a_character));
  const std::string number = fmt::format("{:4}", line);
  return fmt::format("\n{} | {}\n{:{}} | {:{}}^", number, visible(whole.substr(from, end - from)), "",
                     number.size(), "", columns);
}

}  // namespace polyhead::config
