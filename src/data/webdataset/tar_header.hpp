#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace polyhead::data {

inline constexpr std::size_t kTarBlock = 512;

/// One block of a tar that describes what follows it
/// (https://www.gnu.org/software/tar/manual/html_node/Standard.html).
class TarHeader {
 public:
  explicit TarHeader(const std::array<std::byte, kTarBlock>& block) : block_(block) {}

  /// Whether the block is all zeros: the end of the archive.
  [[nodiscard]] bool is_end() const;
  [[nodiscard]] bool checksum_fits() const;
  /// Bytes of data after the header; nothing when the field is no number.
  [[nodiscard]] std::optional<std::uint64_t> size() const;
  [[nodiscard]] std::string name() const;
  [[nodiscard]] char type() const { return static_cast<char>(block_[156]); }

 private:
  [[nodiscard]] std::span<const std::byte> field(std::size_t offset, std::size_t size) const {
    return std::span(block_).subspan(offset, size);
  }
  const std::array<std::byte, kTarBlock>& block_;
};

}  // namespace polyhead::data
