#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace polyhead::data {

/// System calls that read files; tests replace them by failing disks.
struct FileCalls {
  std::function<int(const char*)> open = [](const char* path) {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    return ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  };
  std::function<int(int, struct stat*)> stat = [](int fd, struct stat* status) {
    return ::fstat(fd, status);
  };
  std::function<ssize_t(int, std::span<std::byte>, off_t)> read = [](int fd, std::span<std::byte> out,
                                                                     off_t offset) {
    return ::pread(fd, out.data(), out.size(), offset);
  };
  std::function<void(std::chrono::milliseconds)> pause = [](std::chrono::milliseconds time) {
    std::this_thread::sleep_for(time);
  };
};

}  // namespace polyhead::data
