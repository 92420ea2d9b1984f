#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace polyhead::image {

/// Bits of a sequence of bytes, the highest bit of a byte first (ITU-T T.81, F.2.2.5). The end is unknown
/// here: kSlack readable bytes must lie behind whatever is read.
class BitReader {
 public:
  static constexpr std::size_t kSlack = 16;
  /// Bits that `refill` makes ready.
  static constexpr unsigned kReady = 56;

  BitReader() = default;
  explicit BitReader(const std::uint8_t* bytes) : next_(bytes) {}

  /// Reads eight bytes at once; only those that fit count.
  void refill() {
    bits_ |= load(next_) >> count_;
    next_ += (63U - count_) >> 3U;
    count_ |= kReady;
  }
  /// Next bits, from the highest on; only those that are ready are valid.
  [[nodiscard]] std::uint64_t bits() const { return bits_; }
  /// The next `count` bits (1 to 32).
  [[nodiscard]] std::uint32_t peek(unsigned count) const {
    return static_cast<std::uint32_t>(bits_ >> (64 - count));
  }
  void drop(unsigned count) {
    bits_ <<= count;
    count_ -= count;
  }
  /// Number of bits dropped, counted from `bytes` on.
  [[nodiscard]] std::size_t position(const std::uint8_t* bytes) const {
    return static_cast<std::size_t>(next_ - bytes) * 8 - count_;
  }

 private:
  static std::uint64_t load(const std::uint8_t* bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof(word));
    return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
  }

  const std::uint8_t* next_ = nullptr;  ///< the first byte that does not count as read
  std::uint64_t bits_ = 0;
  unsigned count_ = 0;  ///< bits that are ready
};

}  // namespace polyhead::image
