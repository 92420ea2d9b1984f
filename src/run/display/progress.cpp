#include "polyhead/run/progress.hpp"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::run {
namespace {

constexpr std::chrono::milliseconds kRedraw{200};
constexpr std::chrono::milliseconds kFirstLine{10'000};
constexpr std::chrono::milliseconds kMaxPause{300'000};

bool starts_with_any(const std::string& text, std::initializer_list<std::string_view> beginnings) {
  return std::ranges::any_of(beginnings, [&](std::string_view begin) { return text.starts_with(begin); });
}

/// Whether mpirun's stderr is a terminal. mpirun gives each rank a pipe and forwards its output, so only
/// mpirun's own stderr tells.
bool mpirun_is_on_a_terminal() {
  struct stat status {};
  if (::fstat(STDERR_FILENO, &status) != 0 || !S_ISFIFO(status.st_mode)) return false;
  const std::string parent = fmt::format("/proc/{}", ::getppid());
  std::string name;
  std::getline(std::ifstream(parent + "/comm"), name);
  if (!starts_with_any(name, {"mpirun", "mpiexec", "orterun", "prterun"})) return false;
  std::error_code ignored;
  const std::string target = std::filesystem::read_symlink(parent + "/fd/2", ignored).string();
  return starts_with_any(target, {"/dev/pts/", "/dev/tty"});
}

ProgressStyle resolve(ProgressStyle style) {
  if (style != ProgressStyle::automatic) return style;
  const bool terminal = ::isatty(STDERR_FILENO) == 1 || mpirun_is_on_a_terminal();
  return terminal ? ProgressStyle::bar : ProgressStyle::lines;
}

double share_of(std::int64_t done, std::int64_t samples) {
  return samples == 0 ? 1 : static_cast<double>(done) / static_cast<double>(samples);
}

}  // namespace

std::string progress_line(std::int64_t done, std::int64_t samples, double seconds, std::int64_t earlier) {
  const double speed = seconds > 0 ? static_cast<double>(done - earlier) / seconds : 0;
  const std::string left = speed > 0 ? human_seconds(static_cast<double>(samples - done) / speed) : "?";
  return fmt::format("{:3.0f}%  {}/{}  {:.1f} img/s  {} left", 100 * share_of(done, samples), done, samples,
                     speed, left);
}

std::string progress_bar(double share) {
  constexpr int kWidth = 30;
  const int full = static_cast<int>(share * kWidth);
  return fmt::format("[{:=<{}}{:<{}}]", "", full, full < kWidth ? ">" : "", kWidth - full);
}

Progress::Progress(ProgressStyle style, std::int64_t samples, std::int64_t earlier,
                   std::function<Clock::time_point()> now)
    : style_(resolve(style)), samples_(samples), earlier_(earlier), now_(std::move(now)), start_(now_()) {
  pause_ = style_ == ProgressStyle::bar ? kRedraw : kFirstLine;
  next_ = start_ + pause_;
}

Progress::~Progress() {
  if (style_ == ProgressStyle::bar && drawn_) fmt::print(stderr, "\n");
}

void Progress::update(std::int64_t done) {
  const auto now = now_();
  if (style_ == ProgressStyle::none || now < next_) return;
  draw(done, std::chrono::duration<double>(now - start_).count());
  drawn_ = true;
  if (style_ == ProgressStyle::lines) pause_ = std::min(pause_ * 2, kMaxPause);
  next_ = now + pause_;
}

void Progress::draw(std::int64_t done, double seconds) const {
  const std::string text = progress_line(done, samples_, seconds, earlier_);
  if (style_ == ProgressStyle::bar) {
    fmt::print(stderr, "\r{} {}\x1b[K", progress_bar(share_of(done, samples_)), text);
    std::fflush(stderr);
  } else {
    log::info(text);
  }
}

void Progress::finish() {
  if (style_ != ProgressStyle::bar || !drawn_) return;
  draw(samples_, std::chrono::duration<double>(now_() - start_).count());
  fmt::print(stderr, "\n");
  drawn_ = false;
}

}  // namespace polyhead::run
