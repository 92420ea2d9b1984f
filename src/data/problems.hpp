#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polyhead::data {

/// Problems with the lines of a file: three examples per cause, and the number of the others.
class Problems {
 public:
  /// `where`: the file, for messages.
  explicit Problems(std::string where) : where_(std::move(where)) {}

  /// Adds a problem. `cause`: one text for all problems of a kind. `text`: what was found and expected.
  void add(std::int64_t line, std::string_view cause, std::string_view text);
  [[nodiscard]] bool empty() const { return causes_.empty(); }
  /// Text "list.csv:3: found ...", one problem per line, grouped by cause.
  [[nodiscard]] std::string text() const;

 private:
  struct Cause {
    std::string name;
    std::vector<std::string> examples;
    std::int64_t more = 0;
  };
  Cause& cause_of(std::string_view name);

  std::string where_;
  std::vector<Cause> causes_;
};

}  // namespace polyhead::data
