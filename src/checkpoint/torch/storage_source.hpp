#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace polyhead::checkpoint {

/// The storages of a `torch.save` file, by key.
class StorageSource {
 public:
  StorageSource() = default;
  StorageSource(const StorageSource&) = delete;
  StorageSource& operator=(const StorageSource&) = delete;
  virtual ~StorageSource() = default;

  /// Bytes of the storage; empty when the file has none of this key.
  [[nodiscard]] virtual std::optional<std::uint64_t> size(const std::string& key) const = 0;
  /// What messages call the storage.
  [[nodiscard]] virtual std::string shown(const std::string& key) const = 0;
  /// Bytes that must be read before any of the storage can be used: a checksum may cover all of it.
  [[nodiscard]] virtual std::uint64_t cost(const std::string& key) const = 0;
  /// The range lies within `size`. Throws Error(bad_data) when the storage is damaged.
  [[nodiscard]] virtual std::vector<std::byte> read(const std::string& key, std::uint64_t offset,
                                                    std::size_t count) = 0;
  /// Bytes of all storages together, as far as the file's size confirms them.
  [[nodiscard]] virtual std::uint64_t total() const = 0;
};

}  // namespace polyhead::checkpoint
