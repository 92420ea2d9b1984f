#include "progress.hpp"

#include <fmt/format.h>

#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::data {

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void Progress::say(std::int64_t count, std::string_view what) {
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + interval_;
  log::info(fmt::format("data: {} {} so far, in {}", count, what, human_seconds(seconds())));
}

}  // namespace polyhead::data
