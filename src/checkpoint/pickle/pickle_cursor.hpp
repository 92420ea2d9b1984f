#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace polyhead::checkpoint::pickle {

/// Reads a pickle's bytes in order, never past their end.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, std::string file) : bytes_(bytes), file_(std::move(file)) {}

  /// Throws Error(bad_data): "FILE: TEXT (position N of data.pkl)".
  [[noreturn]] void fail(std::string_view text) const;

  /// Reads the next opcode and remembers its position for messages.
  std::uint8_t opcode() {
    opcode_at_ = at_;
    return number<std::uint8_t>();
  }
  /// Bytes read so far.
  [[nodiscard]] std::size_t position() const { return at_; }
  /// A little-endian number.
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string text(std::uint64_t size) {
    const auto bytes = take(size);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::span<const std::byte> take(std::uint64_t size) {
    if (size > bytes_.size() - at_) fail("the pickle ends early: is the file truncated?");
    at_ += size;
    return bytes_.subspan(at_ - size, size);
  }
  /// Text up to the next line feed, which is skipped.
  std::string line();

 private:
  std::span<const std::byte> bytes_;
  std::string file_;
  std::size_t at_ = 0;
  std::size_t opcode_at_ = 0;
};

}  // namespace polyhead::checkpoint::pickle
