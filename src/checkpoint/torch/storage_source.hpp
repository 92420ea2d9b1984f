#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace polyhead::checkpoint {

/// Storages of a `torch.save` file, by key.
class StorageSource {
 public:
  StorageSource() = default;
  StorageSource(const StorageSource&) = delete;
  StorageSource& operator=(const StorageSource&) = delete;
  virtual ~StorageSource() = default;

  /// Bytes of the storage; nothing when the file has none with this key.
  [[nodiscard]] virtual std::optional<std::uint64_t> size(const std::string& key) const = 0;
  /// Name of the storage in messages.
  [[nodiscard]] virtual std::string shown(const std::string& key) const = 0;
  /// Bytes to read before any part of the storage can be used: a checksum may cover all of it.
  [[nodiscard]] virtual std::uint64_t cost(const std::string& key) const = 0;
  /// Reads a range within `size`. Throws Error(bad_data) when the storage is damaged.
  [[nodiscard]] virtual std::vector<std::byte> read(const std::string& key, std::uint64_t offset,
                                                    std::size_t count) = 0;
  /// Bytes of all storages together, as far as the file's size confirms them.
  [[nodiscard]] virtual std::uint64_t total() const = 0;
};

}  // namespace polyhead::checkpoint
