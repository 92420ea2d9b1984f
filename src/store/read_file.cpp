#include "read_file.hpp"

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "polyhead/base/error.hpp"

namespace polyhead::store {

ReadFile::ReadFile(const std::filesystem::path& path)
    : path_(path),
      file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
      open_error_(file_ ? 0 : errno) {
  struct stat status {};
  if (file_ && ::fstat(file_.get(), &status) == 0 && S_ISREG(status.st_mode))
    size_ = static_cast<std::uint64_t>(status.st_size);
}

void ReadFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (!file_) errno = open_error_;
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = EIO;  // it was truncated meanwhile
    if (got <= 0) {
      throw Error(ExitCode::io_error, fmt::format("{}: cannot be read: {}", path_.string(),
                                                  std::generic_category().message(errno)));
    }
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace polyhead::store
