#include "brackets.hpp"

#include <string_view>

namespace polyhead::config {
namespace {

bool is_in(char c, std::string_view characters) {
  return characters.find(c) != std::string_view::npos;
}

class Scan {
 public:
  void take(char c) {
    if (c == '\n') comment_ = false;
    if (!comment_) look_at(c);
    last_ = c;
    column_ = c == '\n' ? 1 : column_ + 1;
    line_ += c == '\n' ? 1 : 0;
  }

  [[nodiscard]] const std::vector<Bracket>& open() const { return open_; }

 private:
  void look_at(char c) {
    if (quote_ != 0) {
      const bool closes = c == quote_ && !escaped_;
      escaped_ = quote_ == '"' && c == '\\' && !escaped_;
      if (closes) quote_ = 0;
    } else if (is_in(c, "\"'") && is_in(last_, " \n[{,:'\"")) {
      quote_ = c;
    } else if (c == '#' && is_in(last_, " \n")) {
      comment_ = true;
    } else if (is_in(c, "[{") && (!open_.empty() || is_in(last_, " \n[{,"))) {
      open_.push_back({c, line_, column_});
    } else if (is_in(c, "]}") && !open_.empty()) {
      open_.pop_back();
    }
  }

  std::vector<Bracket> open_;
  int line_ = 1;
  int column_ = 1;
  char last_ = '\n';
  char quote_ = 0;
  bool escaped_ = false;
  bool comment_ = false;
};

}  // namespace

std::vector<Bracket> open_brackets(std::string_view text) {
  Scan scan;
  for (const char c : text) scan.take(c);
  return scan.open();
}

}  // namespace polyhead::config
