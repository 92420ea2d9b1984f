#pragma once

#include <utility>

namespace polyhead {

/// Owns one handle of a C library. `Traits` has `using type`, `static type invalid()` and `static void
/// close(type) noexcept`. A moved-from object has no handle.
template <class Traits>
class UniqueHandle {
 public:
  using type = typename Traits::type;

  UniqueHandle() = default;
  explicit UniqueHandle(type handle) noexcept : handle_(handle) {}
  UniqueHandle(UniqueHandle&& other) noexcept : handle_(std::exchange(other.handle_, Traits::invalid())) {}
  UniqueHandle& operator=(UniqueHandle&& other) noexcept {
    if (this != &other) reset(std::exchange(other.handle_, Traits::invalid()));
    return *this;
  }
  UniqueHandle(const UniqueHandle&) = delete;
  UniqueHandle& operator=(const UniqueHandle&) = delete;
  ~UniqueHandle() { reset(); }

  [[nodiscard]] type get() const noexcept { return handle_; }
  [[nodiscard]] explicit operator bool() const noexcept { return handle_ != Traits::invalid(); }
  void reset(type handle = Traits::invalid()) noexcept {
    const type old = std::exchange(handle_, handle);
    if (old != Traits::invalid()) Traits::close(old);
  }
  /// Gives up ownership: the caller closes the handle.
  [[nodiscard]] type release() noexcept { return std::exchange(handle_, Traits::invalid()); }

 private:
  type handle_ = Traits::invalid();
};

}  // namespace polyhead
