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

/// The brackets of YAML's flow style that a text opens and does not close, the innermost last. A rough look:
/// quotes and comments are left out, brackets inside plain words, as in x-{0..9}.tar, too.
std::vector<Bracket> open_brackets(std::string_view text);

}  // namespace polyhead::config
