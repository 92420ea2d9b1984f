#pragma once

#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "polyhead/base/error.hpp"

namespace polyhead {

template <class T>
concept WireValue = std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>;

/// Appends values to a byte string, for messages between ranks of one job (same program, same byte order).
class WireWriter {
 public:
  template <WireValue T>
  WireWriter& put(const T& value) {
    return raw(&value, sizeof(T));
  }
  /// Appends the count, then the values.
  template <WireValue T>
  WireWriter& put_array(std::span<const T> values) {
    put(values.size());
    return raw(values.data(), values.size_bytes());
  }
  WireWriter& put_text(std::string_view text) { return put_array(std::span(text.data(), text.size())); }

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] std::vector<std::byte> take() && { return std::move(bytes_); }

 private:
  WireWriter& raw(const void* from, std::size_t size) {
    const std::size_t end = bytes_.size();
    bytes_.resize(end + size);
    if (size > 0) std::memcpy(bytes_.data() + end, from, size);
    return *this;
  }
  std::vector<std::byte> bytes_;
};

/// Reads what `WireWriter` wrote, in the same order. Throws `Error(internal)` past the end.
class WireReader {
 public:
  explicit WireReader(std::span<const std::byte> bytes) : rest_(bytes) {}

  template <WireValue T>
  T get() {
    T value;
    raw(&value, sizeof(T));
    return value;
  }
  template <WireValue T>
  std::vector<T> get_array() {
    const auto count = get<std::size_t>();
    if (count > rest_.size() / sizeof(T)) fail();
    std::vector<T> values(count);
    raw(values.data(), count * sizeof(T));
    return values;
  }
  std::string get_text() {
    const auto characters = get_array<char>();
    return {characters.begin(), characters.end()};
  }
  [[nodiscard]] bool done() const { return rest_.empty(); }

 private:
  void raw(void* to, std::size_t size) {
    if (size > rest_.size()) fail();
    if (size > 0) std::memcpy(to, rest_.data(), size);
    rest_ = rest_.subspan(size);
  }
  [[noreturn]] static void fail() { throw Error(ExitCode::internal, "a message between ranks is too short"); }
  std::span<const std::byte> rest_;
};

}  // namespace polyhead
