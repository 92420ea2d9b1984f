#pragma once

#include <string_view>
#include <vector>

namespace polyhead::config {

/// An opening bracket; line and column count from 1.
struct Bracket {
  char open = '[';
  int line = 1;
  int column = 1;
  [[nodiscard]] char close() const { return open == '[' ? ']' : '}'; }
};

/// Brackets of YAML's flow style that a text opens and does not close, the innermost last. Approximate:
/// quotes, comments, and brackets inside plain words, as in x-{0..9}.tar, are ignored.
std::vector<Bracket> open_brackets(std::string_view text);

}  // namespace polyhead::config
