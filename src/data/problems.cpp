#include "problems.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "polyhead/base/text.hpp"

namespace polyhead::data {

Problems::Cause& Problems::cause_of(std::string_view name) {
  const auto known = std::ranges::find(causes_, name, &Cause::name);
  return known != causes_.end() ? *known : causes_.emplace_back(Cause{std::string(name), {}, 0});
}

void Problems::add(std::int64_t line, std::string_view cause, std::string_view text) {
  constexpr std::size_t kExamples = 3;
  Cause& known = cause_of(cause);
  if (known.examples.size() == kExamples) {
    ++known.more;
  } else {
    known.examples.push_back(fmt::format("{}:{}: {}", where_, line, text));
  }
}

std::string Problems::text() const {
  std::vector<std::string> lines;
  for (const Cause& cause : causes_) {
    lines.insert(lines.end(), cause.examples.begin(), cause.examples.end());
    if (cause.more > 0) lines.push_back(fmt::format("{}: and {} more such lines", where_, cause.more));
  }
  return join(lines, "\n");
}

}  // namespace polyhead::data
