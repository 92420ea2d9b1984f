#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/store/writer.hpp"
#include "publish.hpp"

namespace polyhead::store {
namespace {

constexpr int kAttempts = 100;  // each is lost only to a job that ends in this very moment

FileDescriptor open_lock(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
  if (file) return file;
  throw Error(ExitCode::cant_create, fmt::format("{}: the output's lock file cannot be created: {}",
                                                 path.string(), std::generic_category().message(errno)));
}

/// What the holder wrote, fit for a message: the file may hold anything.
std::string holder(const FileDescriptor& file) {
  std::array<char, 200> text{};
  const ssize_t length = ::pread(file.get(), text.data(), text.size(), 0);
  std::string line(text.data(), static_cast<std::size_t>(std::max<ssize_t>(0, length)));
  line.resize(std::min(line.size(), line.find('\n')));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return line.empty() ? "another process" : line;
}

[[noreturn]] void fail_taken(const std::filesystem::path& path, const FileDescriptor& file) {
  throw Error(
      ExitCode::cant_create,
      fmt::format("{}: is being written by {}. Wait until it has ended, stop it, or choose another "
                  "output.path. (Its lock is {}.)",
                  std::filesystem::path(path).replace_extension().string(), holder(file), path.string()));
}

void lock(const std::filesystem::path& path, const FileDescriptor& file) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK) fail_taken(path, file);
  log::warning(
      fmt::format("{}: this file system has no locks ({}); take care that no second job writes the same "
                  "output",
                  path.string(), std::generic_category().message(errno)));
}

/// Whether `path` still names the file that was opened: its last holder may have removed it.
bool is_named(const std::filesystem::path& path, const FileDescriptor& file) {
  struct stat named {};
  struct stat opened {};
  return ::lstat(path.c_str(), &named) == 0 && ::fstat(file.get(), &opened) == 0 &&
         named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

void write_holder(const std::filesystem::path& path, const FileDescriptor& file) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {"unknown"};
  const std::string text = fmt::format("process {} on {}\n", ::getpid(), host.data());
  // A part of the note will do.
  if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), text.data(), text.size(), 0) < 0) {
    throw Error(ExitCode::cant_create, fmt::format("{}: the output's lock file cannot be written: {}",
                                                   path.string(), std::generic_category().message(errno)));
  }
}

}  // namespace

OutputLock::OutputLock(const std::filesystem::path& output) : path_(output.string() + ".lock") {
  make_folders(output.parent_path());
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    FileDescriptor file = open_lock(path_);
    lock(path_, file);
    if (!is_named(path_, file)) continue;
    write_holder(path_, file);
    file_ = std::move(file);
    return;
  }
  throw Error(ExitCode::cant_create,
              fmt::format("{}: is created and removed all the time by other processes; the "
                          "output cannot be locked",
                          path_.string()));
}

OutputLock::~OutputLock() {
  if (is_named(path_, file_)) ::unlink(path_.c_str());  // still locked: nobody else can hold it now
}

}  // namespace polyhead::store
