#include "byte_source.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "polyhead/base/error.hpp"

namespace polyhead::data {
namespace {

[[noreturn]] void unreadable(const std::string& path, const char* why) {
  throw Error(ExitCode::no_input, fmt::format("{}: cannot be read: {}", path, why));
}

}  // namespace

FileSource::FileSource(std::string path) : path_(std::move(path)) {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  fd_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!fd_ || ::fstat(fd_.get(), &status) != 0) unreadable(path_, std::strerror(errno));
  if (!S_ISREG(status.st_mode)) unreadable(path_, "it is not a regular file");
  stamp_ = stamp_of(status);
}

void FileSource::expect_jumps() const {
  ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_RANDOM);
}

void FileSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw Error(ExitCode::io_error, fmt::format("{}: reading at byte {} failed: {}", path_, offset,
                                                  got < 0 ? std::strerror(errno) : "the file ends there"));
    }
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace polyhead::data
