#include "stamp.hpp"

#include <chrono>
#include <cstdlib>
#include <limits>

namespace polyhead::data {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();

}  // namespace

Stamp stamp_of(const struct stat& status) {
  // Wraps around for a damaged file system's dates instead of overflowing.
  const auto seconds = static_cast<std::uint64_t>(status.st_mtim.tv_sec);
  const auto nanoseconds = static_cast<std::uint64_t>(status.st_mtim.tv_nsec);
  return {S_ISDIR(status.st_mode) ? 0 : static_cast<std::uint64_t>(status.st_size),
          static_cast<std::int64_t>(seconds * kSecond + nanoseconds)};
}

std::optional<Stamp> stamp_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return stamp_of(status);
}

bool never_matches(Stamp stamp) {
  return stamp.changed == kNever;
}

Stamp settled(Stamp stamp) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t then = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() - 2 * kSecond;
  if (stamp.changed > then && stamp.changed < then + 4 * kSecond) stamp.changed = kNever;
  return stamp;
}

}  // namespace polyhead::data
