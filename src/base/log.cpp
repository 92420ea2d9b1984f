#include "polyhead/base/log.hpp"

#include <string>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace polyhead::log {
namespace {

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = spdlog::stderr_color_mt("polyhead");
    made->set_pattern("[%H:%M:%S] [%^%l%$] %v");
    return made;
  }();
  return *instance;
}

}  // namespace

void set_level(Level level) {
  switch (level) {
    case Level::debug:
      return logger().set_level(spdlog::level::debug);
    case Level::info:
      return logger().set_level(spdlog::level::info);
    case Level::warning:
      return logger().set_level(spdlog::level::warn);
    case Level::error:
      return logger().set_level(spdlog::level::err);
    case Level::off:
      return logger().set_level(spdlog::level::off);
  }
}

void set_rank(int rank, std::string_view host) {
  if (rank == 0) return;
  logger().set_pattern(fmt::format("[%H:%M:%S] [%^%l%$] [rank {} on {}] %v", rank, host));
  set_level(Level::warning);
}

void debug(std::string_view text) {
  logger().debug(text);
}
void info(std::string_view text) {
  logger().info(text);
}
void warning(std::string_view text) {
  logger().warn(text);
}
void error(std::string_view text) {
  logger().error(text);
}

}  // namespace polyhead::log
