#pragma once

#include <unordered_map>

#include "polyhead/checkpoint/zip.hpp"
#include "storage_source.hpp"

namespace polyhead::checkpoint {

/// Storages as records "FOLDER/data/KEY" of a zip file (PyTorch 1.6 and later).
class ZipStorages : public StorageSource {
 public:
  /// Both arguments must outlive the object.
  ZipStorages(const ZipReader& zip, const std::string& folder);

  [[nodiscard]] std::optional<std::uint64_t> size(const std::string& key) const override;
  [[nodiscard]] std::string shown(const std::string& key) const override;
  [[nodiscard]] std::uint64_t cost(const std::string& key) const override;
  [[nodiscard]] std::vector<std::byte> read(const std::string& key, std::uint64_t offset,
                                            std::size_t count) override;
  [[nodiscard]] std::uint64_t total() const override { return total_; }

 private:
  const ZipReader& zip_;
  const std::string& folder_;
  std::unordered_map<std::string, std::uint64_t> located_;  ///< positions of stored records
  std::string inflated_key_;                                ///< last key among the deflated records
  std::vector<std::byte> inflated_;
  std::uint64_t total_ = 0;
};

}  // namespace polyhead::checkpoint
