#pragma once

#include <cstddef>
#include <string>

#include "polyhead/config/location.hpp"

namespace polyhead::config {

/// Bytes of the largest text of a configuration, so that a wrong file does not take all memory.
inline constexpr std::size_t kMaxDocumentBytes = std::size_t{16} << 20U;

/// Source of a text.
struct Source {
  std::string name;
  bool has_lines = true;  ///< false: the command line

  /// Line and column count from 1.
  [[nodiscard]] Location at(int line, int column) const;
};

/// Throws ConfigError with this one issue.
[[noreturn]] void refuse(const Location& where, const std::string& text);

/// Throws ConfigError for a text that is too large, not UTF-8, or has control characters (a binary file).
/// yaml-cpp takes byte 4 for the end of the file and lets malformed UTF-8 pass.
void check_text(const std::string& text, const Source& source);

}  // namespace polyhead::config
