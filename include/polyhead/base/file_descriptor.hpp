#pragma once

#include <unistd.h>

#include "polyhead/base/unique_handle.hpp"

namespace polyhead {

struct FileDescriptorTraits {
  using type = int;
  static int invalid() { return -1; }
  static void close(int fd) noexcept { ::close(fd); }
};

/// Owns a POSIX file descriptor. Closing ignores errors: call `fdatasync` before where the bytes matter.
using FileDescriptor = UniqueHandle<FileDescriptorTraits>;

}  // namespace polyhead
