#pragma once

#include <string>

namespace polyhead::config {

/// A mistake in a YAML text and where it really is; line and column count from 1.
struct SyntaxFault {
  int line = 1;
  int column = 1;
  std::string text;  ///< "this line is indented with a tab; YAML wants spaces"; empty when nothing is guessed
};

/// The user's probable mistake, from the parser's report at a place: parsers notice a missing colon or
/// bracket lines later.
SyntaxFault guess_syntax_fault(const std::string& text, int line, int column, const std::string& message);

/// The line with a caret under the column, to follow a message; tabs are shown as arrows.
std::string excerpt(const std::string& text, int line, int column);

/// Byte offset of a place in the text, at most its size.
std::size_t offset_of(const std::string& text, int line, int column);

/// Whether the quoted text that opens at `offset` is closed before the end.
bool is_closed_quote(const std::string& text, std::size_t offset);

}  // namespace polyhead::config
