#include "polyhead/run/status_file.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "polyhead/base/file_descriptor.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/own_file.hpp"

namespace polyhead::run {
namespace {

constexpr std::chrono::seconds kInterval{1};
constexpr std::chrono::seconds kLastWriting{1};

/// Writes a new file, never through a link at its path.
bool write_new(const std::filesystem::path& path, std::string_view text) {
  ::unlink(path.c_str());
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file) return false;
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string who_stopped(std::string_view message) {
  message = message.substr(0, message.find('\n'));
  for (const std::string_view beginning : {"stopped by ", "stopped at once: "}) {
    if (message.starts_with(beginning)) message.remove_prefix(beginning.size());
  }
  return std::string(message);
}

StatusFile::StatusFile(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code error;
  const bool is_link = std::filesystem::is_symlink(path_, error);  // a link is replaced, never followed
  if (!path_.empty() && !is_link && !may_write_over(path_, "time=")) {
    log::warning(
        fmt::format("POLYHEAD_STATUS_FILE is {}, a file that is no status of polyhead's: it is left "
                    "as it is, and no status is written",
                    path_.string()));
    path_.clear();
  }
  if (!path_.empty()) thread_ = std::thread([this] { run(); });
}

std::filesystem::path StatusFile::path_for(int rank) {
  const char* path = rank == 0 ? std::getenv("POLYHEAD_STATUS_FILE") : nullptr;
  return path == nullptr ? "" : path;
}

StatusFile::~StatusFile() {
  {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void StatusFile::set(std::string_view key, std::string value) {
  std::ranges::replace(value, '\n', ' ');
  const std::lock_guard lock(mutex_);
  if (!ended_) values_.insert_or_assign(std::string(key), std::move(value));
}

void StatusFile::end(int code) {
  std::unique_lock lock(mutex_);
  if (!ended_) {
    values_["state"] = "ended";
    values_["code"] = std::to_string(code);
    ended_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) changed_.wait_for(lock, kLastWriting, [&] { return last_written_; });
}

void StatusFile::run() {
  std::unique_lock lock(mutex_);
  bool warned = false;
  while (!last_written_ && !leaving_) {
    const bool last = ended_;
    const std::string now = text();
    lock.unlock();
    if (!write(now) && !std::exchange(warned, true)) {
      log::warning(fmt::format("the status file {} cannot be written: {}", path_.string(),
                               std::generic_category().message(errno)));
    }
    lock.lock();
    last_written_ = last;
    changed_.notify_all();
    changed_.wait_for(lock, kInterval, [&] { return leaving_ || last_written_ || ended_; });
  }
}

bool StatusFile::write(const std::string& text) const {
  const std::filesystem::path fresh = path_.string() + ".new";
  return write_new(fresh, text) && ::rename(fresh.c_str(), path_.c_str()) == 0;
}

std::string StatusFile::text() const {
  std::string text = fmt::format("time={}\n", std::time(nullptr));
  for (const auto& [key, value] : values_) text += fmt::format("{}={}\n", key, value);
  return text;
}

}  // namespace polyhead::run
