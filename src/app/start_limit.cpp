#include "start_limit.hpp"

#include <charconv>
#include <cmath>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/comm/launcher.hpp"

namespace polyhead::app {
namespace {

constexpr const char* kName = "POLYHEAD_MPI_START_TIMEOUT";
constexpr double kDay = 24 * 60 * 60;

/// Seconds of a unit; none of another word.
double seconds_of(std::string_view unit) {
  static const std::map<std::string_view, double> kUnits{{"", 1},   {"s", 1},    {"ms", 1e-3},
                                                         {"m", 60}, {"min", 60}, {"h", 60 * 60}};
  const auto found = kUnits.find(unit);
  return found == kUnits.end() ? 0 : found->second;
}

}  // namespace

std::chrono::milliseconds read_start_limit(const std::string& text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  const double seconds = number * seconds_of({rest, static_cast<std::size_t>(end - rest)});
  if (error != std::errc{} || !(seconds >= 1e-3 && seconds <= kDay)) {
    throw Error(
        ExitCode::usage,
        fmt::format("{} is '{}': expected a time of at most a day, such as 90s or 10min", kName, text));
  }
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

std::chrono::milliseconds start_limit(std::chrono::milliseconds usual) {
  const auto text = comm::process_variable(kName);
  return text && !text->empty() ? read_start_limit(*text) : usual;
}

}  // namespace polyhead::app
