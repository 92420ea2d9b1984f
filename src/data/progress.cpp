#include "progress.hpp"

#include <fmt/format.h>

#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::data {

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void Progress::samples(std::int64_t count) {
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::seconds(10);
  log::info(fmt::format("data: {} samples found so far, in {}", count, human_seconds(seconds())));
}

}  // namespace polyhead::data
