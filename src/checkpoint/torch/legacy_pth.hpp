#pragma once

#include <string_view>
#include <unordered_map>

#include "checkpoint/input_file.hpp"
#include "polyhead/checkpoint/pickle.hpp"
#include "storage_source.hpp"

namespace polyhead::checkpoint {

/// Whether these are the first bytes of a file of `torch.save` before PyTorch 1.6.
bool is_legacy_pth(std::string_view start);

/// A file of `torch.save` before PyTorch 1.6, as `torch.serialization._legacy_save` writes it. It holds
/// pickles of a magic number, a version, the machine, the object and the storages' keys. Each storage's
/// number of elements and bytes follow.
class LegacyFile : public StorageSource {
 public:
  /// Throws Error: no_input, or bad_data when the file is truncated or damaged.
  explicit LegacyFile(const std::filesystem::path& path);

  [[nodiscard]] const pickle::Document& document() const { return document_; }

  [[nodiscard]] std::optional<std::uint64_t> size(const std::string& key) const override;
  [[nodiscard]] std::string shown(const std::string& key) const override { return key; }
  [[nodiscard]] std::uint64_t cost(const std::string& /*key*/) const override { return 0; }
  [[nodiscard]] std::vector<std::byte> read(const std::string& key, std::uint64_t offset,
                                            std::size_t count) override;
  [[nodiscard]] std::uint64_t total() const override { return file_.size(); }

 private:
  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
  };
  void check_machine(const pickle::Document& machine) const;
  [[nodiscard]] Place place_at(std::uint64_t offset, const std::string& key,
                               std::uint64_t element_size) const;
  void find_storages(const pickle::Document& keys, std::uint64_t offset);

  InputFile file_;
  pickle::Document document_;
  std::unordered_map<std::string, Place> places_;
};

}  // namespace polyhead::checkpoint
