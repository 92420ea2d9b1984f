#include "publish.hpp"

#include <cerrno>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/file_descriptor.hpp"

namespace polyhead::store {
namespace {

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& action, int reason) {
  throw Error(ExitCode::cant_create, fmt::format("{}: cannot {}: {}", path.string(), action,
                                                 std::generic_category().message(reason)));
}

std::uint64_t unpredictable() {
  std::uint64_t value = 0;
  if (::getrandom(&value, sizeof(value), 0) != sizeof(value))
    fail("getrandom", "give a random number", errno);
  return value;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

bool unsupported(int reason) {
  return reason == EINVAL || reason == ENOSYS || reason == EOPNOTSUPP || reason == EPERM;
}

[[noreturn]] void fail_to_name(const std::filesystem::path& path, int reason) {
  if (reason == EEXIST) {
    throw Error(
        ExitCode::cant_create,
        fmt::format("{}: was created by another program in the meantime; it is left alone", path.string()));
  }
  fail(path, "be created", reason);
}

}  // namespace

void sync_folder(const std::filesystem::path& folder) {
  const FileDescriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!handle) fail(folder, "be opened", errno);
  if (::fsync(handle.get()) != 0 && errno != EINVAL) fail(folder, "be written to the disk (fsync)", errno);
}

void make_folders(const std::filesystem::path& folder) {
  std::error_code error;
  if (folder.empty() || std::filesystem::exists(folder, error)) return;
  make_folders(folder.parent_path());
  std::filesystem::create_directory(folder, error);
  if (error) fail(folder, "be created", error.value());
  sync_folder(folder_of(folder));
}

bool rename_without_replacing(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (unsupported(errno)) return false;
  fail_to_name(to, errno);
}

bool link_without_replacing(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::link(from.c_str(), to.c_str()) == 0) {
    ::unlink(from.c_str());
    return true;
  }
  if (unsupported(errno)) return false;
  fail_to_name(to, errno);
}

TemporaryFile::TemporaryFile(const std::filesystem::path& target)
    : target_(target), path_(folder_of(target) / fmt::format(".polyhead-{:016x}.tmp", unpredictable())) {}

TemporaryFile::~TemporaryFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

void TemporaryFile::publish(bool replace) {
  const bool named =
      !replace && (rename_without_replacing(path_, target_) || link_without_replacing(path_, target_));
  if (!named) {
    // Without either call a moment remains between check and rename; the output's lock covers it.
    std::error_code error;
    if (!replace && std::filesystem::exists(std::filesystem::symlink_status(target_, error))) {
      fail_to_name(target_, EEXIST);
    }
    if (::rename(path_.c_str(), target_.c_str()) != 0) fail(target_, "be created", errno);
  }
  path_.clear();
  sync_folder(folder_of(target_));
}

}  // namespace polyhead::store
