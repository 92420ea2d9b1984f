#include "pickle_cursor.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "polyhead/checkpoint/fail.hpp"

namespace polyhead::checkpoint::pickle {

void Cursor::fail(std::string_view text) const {
  bad_data(file_, fmt::format("{} (position {} of data.pkl)", text, opcode_at_));
}

std::string Cursor::line() {
  const auto rest = bytes_.subspan(at_);
  const auto end = std::find(rest.begin(), rest.end(), std::byte{'\n'});
  std::string found = text(static_cast<std::uint64_t>(end - rest.begin()));
  take(1);
  return found;
}

}  // namespace polyhead::checkpoint::pickle
