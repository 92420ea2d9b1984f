#include "input_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "polyhead/base/error.hpp"

namespace polyhead::checkpoint {
namespace {

[[noreturn]] void unreadable(const std::filesystem::path& path, const char* why) {
  throw Error(ExitCode::no_input, fmt::format("{}: cannot be read: {}", path.string(), why));
}

}  // namespace

InputFile::InputFile(std::filesystem::path path) : path_(std::move(path)) {
  // Without O_NONBLOCK, opening a named pipe would wait for a writer.
  fd_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd_) unreadable(path_, std::strerror(errno));
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) unreadable(path_, std::strerror(errno));
  if (S_ISDIR(status.st_mode)) unreadable(path_, "it is a folder");
  if (!S_ISREG(status.st_mode)) unreadable(path_, "it is not a regular file");
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void InputFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      throw Error(ExitCode::io_error, fmt::format("{}: reading at byte {} failed: {}", path_.string(), offset,
                                                  got < 0 ? std::strerror(errno) : "the file ends there"));
    }
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

std::vector<std::byte> InputFile::read(std::uint64_t offset, std::size_t count) const {
  std::vector<std::byte> bytes(count);
  read(offset, bytes);
  return bytes;
}

std::string first_bytes(const std::filesystem::path& path, std::size_t count) {
  const InputFile file(path);
  std::string start(std::min<std::uint64_t>(count, file.size()), '\0');
  file.read(0, std::as_writable_bytes(std::span(start)));
  return start;
}

}  // namespace polyhead::checkpoint
