#include "polyhead/checkpoint/fail.hpp"

#include <fmt/format.h>

#include "polyhead/base/error.hpp"

namespace polyhead::checkpoint {

void bad_data(const std::filesystem::path& file, std::string_view text) {
  throw Error(ExitCode::bad_data, fmt::format("{}: {}", file.string(), text));
}

std::string printable(std::string_view text) {
  constexpr std::size_t kMax = 120;
  std::string shown;
  for (const char c : text.substr(0, kMax)) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7f) {
      shown += fmt::format("\\x{:02x}", code);
    } else {
      shown += c;
    }
  }
  return text.size() > kMax ? shown + "..." : shown;
}

}  // namespace polyhead::checkpoint
