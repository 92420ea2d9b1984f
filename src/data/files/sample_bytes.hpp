#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "file_calls.hpp"
#include "polyhead/base/file_descriptor.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/data/location.hpp"
#include "polyhead/image/large_turn.hpp"

namespace polyhead::data {

/// Reads the bytes at a `Location` into one buffer. Errors that may pass (EIO, ESTALE, time-outs) are retried
/// for about three seconds. The last tar stays open. One thread at a time.
class SampleBytes {
 public:
  /// `max_size`: larger samples are not read.
  explicit SampleBytes(std::uint64_t max_size, FileCalls calls = {});

  /// Reads the bytes. Returns the reason why there are none, or `none`. Throws Error(io_error) for errors
  /// that persist.
  Reason read(const Location& location);
  /// `read` without reading any bytes: opens the file and examines its size.
  Reason look(const Location& location);
  /// Bytes that `read` read; valid until the next call of `read` or `release`.
  [[nodiscard]] std::span<const std::byte> bytes() const { return std::span(buffer_).first(size_); }
  /// Frees the memory of an unusually large sample, in the thread that read it.
  void release();

 private:
  struct OpenFile {
    std::string path;
    FileDescriptor fd;
    std::uint64_t size = 0;
  };
  Reason patiently(const Location& location, Reason (SampleBytes::*once)(const Location&));
  Reason attempt(const Location& location);
  Reason find(const Location& location);
  Reason find_whole(const std::string& path);
  Reason open(const std::string& path);
  void load(const OpenFile& file, std::uint64_t offset, std::uint64_t size);

  std::uint64_t max_size_;
  FileCalls calls_;
  OpenFile file_;
  std::vector<std::byte> buffer_;
  std::size_t size_ = 0;
  image::LargeTurn turn_;
};

}  // namespace polyhead::data
