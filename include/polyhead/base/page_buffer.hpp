#pragma once

#include <cstddef>
#include <memory>

namespace polyhead {

/// Page-aligned floats, set to zero, on huge pages where the system has them. Meant for code that writes
/// dozens of streams at once, more than the processor keeps addresses of small pages for.
class PageBuffer {
 public:
  PageBuffer() = default;
  /// Throws std::bad_alloc.
  explicit PageBuffer(std::size_t size);
  /// Memory that a buffer of `size` floats takes: whole pages, of up to `kMaxUnit` bytes.
  static constexpr std::size_t kMaxUnit = std::size_t{2} << 20U;
  static std::size_t bytes_of(std::size_t size);

  [[nodiscard]] float* data() { return data_.get(); }
  [[nodiscard]] const float* data() const { return data_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Makes room for `size` floats; the content is lost when the buffer grows.
  void at_least(std::size_t size);

 private:
  struct Free {
    void operator()(float* memory) const;
  };
  std::unique_ptr<float, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace polyhead
