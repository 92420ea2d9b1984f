#pragma once

#include <string>
#include <string_view>

namespace polyhead::data {

/// Text from a file, made fit for a message: control characters become '?', long text is cut.
inline std::string sanitized(std::string_view text) {
  constexpr std::size_t kMaxShown = 200;
  std::string result(text.substr(0, kMaxShown));
  for (char& c : result) {
    if ((c >= 0 && c < ' ') || c == '\x7F') c = '?';
  }
  if (text.size() > kMaxShown) result += "...";
  return result;
}

}  // namespace polyhead::data
