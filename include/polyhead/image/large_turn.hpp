#pragma once

#include <cstdint>
#include <mutex>

namespace polyhead::image {

/// Bytes that reading one sample may take without asking: of its file, and again of its decoder.
inline constexpr std::uint64_t kOrdinarySample = std::uint64_t{64} << 20U;

/// Samples that need more are read one at a time, whatever the number of threads, so that a few huge images
/// do not multiply. One thread at a time; a thread may hold several.
class LargeTurn {
 public:
  LargeTurn() : lock_(mutex(), std::defer_lock) {}

  /// To be called before so much memory is taken. Waits while another thread has a large sample.
  void take(std::uint64_t bytes) {
    if (bytes > kOrdinarySample && !lock_.owns_lock()) lock_.lock();
  }
  /// The memory is given back.
  void end() {
    if (lock_.owns_lock()) lock_.unlock();
  }

 private:
  static std::recursive_mutex& mutex() {
    static std::recursive_mutex one;
    return one;
  }
  std::unique_lock<std::recursive_mutex> lock_;
};

}  // namespace polyhead::image
