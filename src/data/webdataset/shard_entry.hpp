#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace polyhead::data {

/// Role of an entry in its sample.
enum class ShardPart : std::uint8_t { image, cls, json, other };

/// An entry's name, taken apart as WebDataset's `base_plus_ext` does: the key ends at the first dot of the
/// base name.
struct ShardName {
  std::string key;     ///< name with the folder, up to the suffix
  std::string suffix;  ///< suffix as written, without its dot
  ShardPart part = ShardPart::other;
};

/// Name without leading "./". Throws Error(bad_data) for one that leads out of the archive; `where` names the
/// shard.
std::string clean_entry_name(const std::string& where, std::string_view name);
/// Whether the base name begins with a dot, as macOS's "._a.jpg" and ".DS_Store" do.
bool is_hidden_entry(std::string_view name);
/// Key and suffix; nothing for a name without a suffix.
std::optional<ShardName> split_entry_name(std::string_view name);

/// Throws Error(bad_data): "WHERE: entry 'NAME': PROBLEM".
[[noreturn]] void refuse_entry(const std::string& where, std::string_view name, std::string_view problem);

}  // namespace polyhead::data
