#include "repeated_paths.hpp"

#include <algorithm>
#include <functional>
#include <tuple>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"

namespace polyhead::data {
namespace {

constexpr std::size_t kMaxPaths = 2'000'000;

[[noreturn]] void contradiction(std::string_view where, std::int64_t line, std::int32_t label,
                                std::int64_t other, std::int32_t other_label) {
  throw Error(
      ExitCode::bad_data,
      fmt::format("{}:{}: found the path of line {} again, there with label {}, here with {}; expected "
                  "one label an image: leave one of the lines out",
                  where, line, other, other_label, label));
}

}  // namespace

void RepeatedPaths::add(std::string_view path, std::int64_t line, std::int32_t label) {
  const std::uint64_t hash = std::hash<std::string_view>()(path);
  if (hash % stride_ != 0) return;
  entries_.push_back({hash, line, label});
  if (entries_.size() == kMaxPaths) thin_out();
}

void RepeatedPaths::thin_out() {
  stride_ *= 2;
  std::erase_if(entries_, [&](const Entry& entry) { return entry.hash % stride_ != 0; });
}

std::string RepeatedPaths::settle(std::string_view where) {
  std::ranges::sort(entries_, {}, [](const Entry& entry) { return std::tuple(entry.hash, entry.line); });
  std::int64_t again = 0;
  std::int64_t first = 0;
  for (std::size_t i = 1, known = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.hash != entries_[known].hash) {
      known = i;
      continue;
    }
    if (entry.label >= 0 && entries_[known].label >= 0 && entry.label != entries_[known].label) {
      contradiction(where, entry.line, entry.label, entries_[known].line, entries_[known].label);
    }
    if (entries_[known].label < 0) known = i;
    if (again++ == 0 || entry.line < first) first = entry.line;
  }
  entries_ = {};
  if (again == 0) return "";
  return fmt::format(
      "{}{} lines have a path that was there before (line {} for one): these images count twice",
      stride_ > 1 ? "at least " : "", again, first);
}

}  // namespace polyhead::data
