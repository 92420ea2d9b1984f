#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace polyhead::data {

/// Expands "x-{000..127}.tar", "{train,val}.tar" and their combinations as the shell does. Throws
/// Error(config) that shows what is wrong with the pattern.
std::vector<std::string> expand_braces(const std::string& pattern);

/// Whether the name is that of a tar, packed or not. Hidden files, such as macOS's "._x.tar", do not count.
bool is_shard_name(std::string_view name);
bool is_packed_shard_name(std::string_view name);

/// Shards that data.path stands for: one, those of a folder, sorted, or those of a pattern. Throws Error
/// (no_input, bad_data, config), which lists the missing ones. Other files in a folder are logged.
std::vector<std::string> shard_paths(const std::string& path);

}  // namespace polyhead::data
