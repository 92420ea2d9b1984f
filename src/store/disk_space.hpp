#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace polyhead::store {

/// Bytes that are free on the disk that holds or will hold `file`; nothing where the file system does not
/// tell.
std::optional<std::uint64_t> free_bytes(const std::filesystem::path& file);

}  // namespace polyhead::store
