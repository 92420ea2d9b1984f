#include "source.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "utf8.hpp"

namespace polyhead::config {
namespace {

bool is_unwanted_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x7F || (byte < 0x20 && c != '\n' && c != '\r' && c != '\t');
}

Location location_of(const std::string& text, std::size_t offset, const Source& source) {
  int line = 1;
  int column = 1;
  for (std::size_t i = 0; i < offset; ++i) {
    column = text[i] == '\n' ? 1 : column + 1;
    line += text[i] == '\n' ? 1 : 0;
  }
  return source.at(line, column);
}

}  // namespace

Location Source::at(int line, int column) const {
  return has_lines ? Location{name, line, column} : Location{name, 0, 0};
}

void refuse(const Location& where, const std::string& text) {
  throw ConfigError(ExitCode::config, {{where, text}});
}

void check_text(const std::string& text, const Source& source) {
  if (text.size() > kMaxDocumentBytes) {
    refuse({source.name, 0, 0}, fmt::format("the text has {} bytes; a configuration has {} at most",
                                            text.size(), kMaxDocumentBytes));
  }
  if (const auto bad = malformed_utf8(text)) {
    refuse(location_of(text, *bad, source),
           fmt::format("not UTF-8 text: byte 0x{:02x}", static_cast<unsigned char>(text[*bad])));
  }
  const auto control = std::find_if(text.begin(), text.end(), is_unwanted_control);
  if (control != text.end()) {
    refuse(location_of(text, static_cast<std::size_t>(control - text.begin()), source),
           fmt::format("not a text file: control character 0x{:02x}", static_cast<unsigned char>(*control)));
  }
}

}  // namespace polyhead::config
