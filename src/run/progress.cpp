#include "polyhead/run/progress.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::run {
namespace {

constexpr std::chrono::milliseconds kRedraw{200};
constexpr std::chrono::milliseconds kFirstLine{10'000};
constexpr std::chrono::milliseconds kLongestPause{300'000};

ProgressStyle resolve(ProgressStyle style) {
  if (style != ProgressStyle::automatic) return style;
  return isatty(STDERR_FILENO) == 1 ? ProgressStyle::bar : ProgressStyle::lines;
}

std::string bar(double share) {
  constexpr int kWidth = 30;
  const int full = static_cast<int>(share * kWidth);
  return fmt::format("[{:=<{}}{:<{}}]", "", full, full < kWidth ? ">" : "", kWidth - full);
}

}  // namespace

Progress::Progress(ProgressStyle style, std::int64_t samples) : style_(resolve(style)), samples_(samples) {
  pause_ = style_ == ProgressStyle::bar ? kRedraw : kFirstLine;
  next_ = start_ + pause_;
}

Progress::~Progress() {
  if (style_ == ProgressStyle::bar && drawn_) std::fputc('\n', stderr);
}

void Progress::update(std::int64_t done) {
  const auto now = Clock::now();
  if (style_ == ProgressStyle::none || now < next_) return;
  draw(done, std::chrono::duration<double>(now - start_).count());
  drawn_ = true;
  if (style_ == ProgressStyle::lines) pause_ = std::min(pause_ * 2, kLongestPause);
  next_ = now + pause_;
}

void Progress::draw(std::int64_t done, double seconds) const {
  const double share = static_cast<double>(done) / static_cast<double>(samples_);
  const double speed = static_cast<double>(done) / seconds;
  const std::string left = done == 0 ? "?" : human_seconds(static_cast<double>(samples_ - done) / speed);
  const std::string text =
      fmt::format("{:3.0f}%  {}/{}  {:.1f} img/s  {} left", share * 100, done, samples_, speed, left);
  if (style_ == ProgressStyle::bar) {
    fmt::print(stderr, "\r{} {}\x1b[K", bar(share), text);
    std::fflush(stderr);
  } else {
    log::info(text);
  }
}

void Progress::finish() {
  if (style_ != ProgressStyle::bar || !drawn_) return;
  draw(samples_, std::chrono::duration<double>(Clock::now() - start_).count());
  fmt::print(stderr, "\n");
  drawn_ = false;
}

}  // namespace polyhead::run
