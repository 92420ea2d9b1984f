#pragma once

#include <cstdint>
#include <mutex>

namespace polyhead::image {

/// Bytes that reading one sample may take without a turn: for its file, and again for its decoder.
inline constexpr std::uint64_t kOrdinarySample = std::uint64_t{64} << 20U;

/// Turn for large samples: samples that need more memory are read one at a time, whatever the number of
/// threads, so that a few huge images do not multiply. One thread has the turn at a time; it may hold several
/// of these objects.
class LargeTurn {
 public:
  LargeTurn() : lock_(mutex(), std::defer_lock) {}

  /// Must be called before taking `bytes`. Waits while another thread has a large sample.
  void take(std::uint64_t bytes) {
    if (bytes > kOrdinarySample && !lock_.owns_lock()) lock_.lock();
  }
  /// Must be called after the memory is freed.
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
