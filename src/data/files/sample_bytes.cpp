#include "sample_bytes.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/data/look.hpp"
#include "polyhead/image/buffer.hpp"

namespace polyhead::data {
namespace {

constexpr std::array kPauses{50, 100, 200, 400, 800, 1600};  // milliseconds between attempts

/// A failed call whose cause is not the sample.
struct Trouble {
  int error;
};

bool may_pass(int error) {
  switch (error) {
    case EIO:
    case ESTALE:
    case ETIMEDOUT:
    case EAGAIN:
    case EINTR:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOTCONN:
    case EHOSTDOWN:
    case EREMOTEIO:
      return true;
    default:
      return false;
  }
}

/// Reason for an error that the sample itself causes. Throws for every other error.
Reason reason_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return Reason::missing;
    case EACCES:
    case EPERM:
      return Reason::not_permitted;
    case EISDIR:
    case ENXIO:  // a socket
    case ENODEV:
      return Reason::not_a_file;
    default:
      throw Trouble{error};
  }
}

bool is_whole_file(const Location& location) {
  return location.offset == 0 && location.size == 0;
}

}  // namespace

SampleBytes::SampleBytes(std::uint64_t max_size, FileCalls calls)
    : max_size_(max_size), calls_(std::move(calls)) {}

void SampleBytes::release() {
  size_ = 0;
  image::trim(buffer_);
  turn_.end();
}

/// Repeats the attempt while it may still succeed.
Reason SampleBytes::patiently(const Location& location, Reason (SampleBytes::*once)(const Location&)) {
  for (std::size_t attempts = 1;; ++attempts) {
    try {
      return (this->*once)(location);
    } catch (const Trouble& trouble) {
      file_ = {};  // the open file may be the stale one
      if (!may_pass(trouble.error) || attempts > kPauses.size()) {
        release();
        throw Error(ExitCode::io_error, fmt::format("{}: cannot be read: {} (tried {} time(s))",
                                                    location.path, std::strerror(trouble.error), attempts));
      }
    }
    calls_.pause(std::chrono::milliseconds(kPauses[attempts - 1]));
  }
}

Reason SampleBytes::read(const Location& location) {
  release();
  return patiently(location, &SampleBytes::attempt);
}

Reason SampleBytes::look(const Location& location) {
  release();
  return patiently(location, &SampleBytes::find);
}

Reason SampleBytes::attempt(const Location& location) {
  size_ = 0;
  if (const Reason reason = find(location); reason != Reason::none) return reason;
  if (!is_whole_file(location)) {
    load(file_, location.offset, location.size);
    return size_ < location.size ? Reason::truncated : Reason::none;
  }
  const OpenFile file = std::exchange(file_, {});
  load(file, 0, file.size);  // the decoder judges a file that shrinks meanwhile
  return size_ == 0 ? Reason::empty_file : Reason::none;
}

/// Opens the file and examines sizes.
Reason SampleBytes::find(const Location& location) {
  if (is_whole_file(location)) return find_whole(location.path);
  if (location.size == 0) return Reason::empty_file;
  if (location.size > max_size_) return Reason::file_too_large;
  if (!file_.fd || file_.path != location.path) {
    if (const Reason reason = open(location.path); reason != Reason::none) return reason;
  }
  const bool inside = location.offset <= file_.size && location.size <= file_.size - location.offset;
  return inside ? Reason::none : Reason::truncated;
}

Reason SampleBytes::find_whole(const std::string& path) {
  if (const Reason reason = open(path); reason != Reason::none) return reason;
  if (file_.size > max_size_) return Reason::file_too_large;
  return file_.size == 0 ? Reason::empty_file : Reason::none;
}

Reason SampleBytes::open(const std::string& path) {
  file_ = {};
  FileDescriptor fd(calls_.open(path.c_str()));
  if (!fd) return reason_of(errno);
  struct stat status {};
  if (calls_.stat(fd.get(), &status) != 0) return reason_of(errno);
  if (!S_ISREG(status.st_mode)) return Reason::not_a_file;
  file_ = {path, std::move(fd), static_cast<std::uint64_t>(status.st_size)};
  return Reason::none;
}

void SampleBytes::load(const OpenFile& file, std::uint64_t offset, std::uint64_t size) {
  turn_.take(size);
  image::make_room(buffer_, size);
  while (size_ < size) {
    const ssize_t got = calls_.read(file.fd.get(), std::span(buffer_).subspan(size_, size - size_),
                                    static_cast<off_t>(offset + size_));
    if (got < 0) throw Trouble{errno};
    if (got == 0) return;
    size_ += static_cast<std::size_t>(got);
  }
}

Reason look_at_file(const Location& location, std::uint64_t max_size) {
  return SampleBytes(max_size).look(location);
}

}  // namespace polyhead::data
