#include "polyhead/store/file.hpp"

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/store/existing.hpp"
#include "posix_file.hpp"

namespace polyhead::store {
namespace {

std::string_view advice(int reason) {
  if (reason == ENOSPC) return ". Make room on that disk";
  if (reason == EDQUOT) return ". Make room there, or have the quota raised";
  if (reason == EROFS) return ". Have the file system mounted for writing again";
  return "";
}

[[noreturn]] void fail(const std::filesystem::path& path, const std::string& action) {
  const int reason = errno;
  throw Error(ExitCode::io_error, fmt::format("{}: cannot {}: {}{}", path.string(), action,
                                              std::generic_category().message(reason), advice(reason)));
}

/// Checks the space before fallocate, which would fill a disk that is too small up to the last block.
void check_space(const std::filesystem::path& path, const FileDescriptor& file, const struct stat& status) {
  struct statvfs disk {};
  if (::fstatvfs(file.get(), &disk) != 0 || disk.f_blocks == 0) return;  // the file system does not tell
  const std::uint64_t free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::uint64_t taken = static_cast<std::uint64_t>(status.st_blocks) * 512;
  if (size <= taken || size - taken <= free) return;
  throw Error(ExitCode::io_error,
              fmt::format("{}: cannot reserve {}: {} are free on this disk{}", path.string(),
                          human_bytes(size), human_bytes(free), advice(ENOSPC)));
}

}  // namespace

PosixFile::PosixFile(const std::filesystem::path& path)
    : path_(path), file_(::open(target_of(path).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) {
  if (!file_) fail(path_, "be opened for writing");
  check_still_there();
}

/// Checks, since writing to an unlinked file, or past the end of a truncated one, would seem to work.
void PosixFile::check_still_there() {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) fail(path_, "be examined");
  if (status.st_nlink == 0) {
    throw FileGone(
        fmt::format("{}: was deleted or replaced while the run was writing to it", path_.string()));
  }
  if (status.st_size < size_) {
    throw FileGone(fmt::format("{}: was cut to {} bytes of {} while the run was writing to it",
                               path_.string(), status.st_size, size_));
  }
  size_ = status.st_size;
}

void PosixFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  check_still_there();
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = ENOSPC;
    if (written <= 0) fail(path_, fmt::format("write {} bytes at offset {}", bytes.size(), offset));
    offset += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void PosixFile::sync() {
  check_still_there();
  if (::fdatasync(file_.get()) != 0) fail(path_, "be written to the disk (fdatasync)");
}

void PosixFile::sync_all() {
  if (::fsync(file_.get()) != 0) fail(path_, "be written to the disk (fsync)");
}

void PosixFile::reserve() {
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) fail(path_, "be examined");
  if (status.st_size == 0) return;
  check_space(path_, file_, status);
  // fallocate, not posix_fallocate, which writes to every block where the file system cannot reserve.
  while (::fallocate(file_.get(), 0, 0, status.st_size) != 0) {
    if (errno == EINTR) continue;
    if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL) return;
    fail(path_, fmt::format("reserve {}", human_bytes(static_cast<std::uint64_t>(status.st_size))));
  }
}

std::unique_ptr<File> open_for_writing(const std::filesystem::path& path) {
  return std::make_unique<PosixFile>(path);
}

}  // namespace polyhead::store
