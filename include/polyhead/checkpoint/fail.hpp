#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace polyhead::checkpoint {

/// Throws Error(bad_data) with "FILE: TEXT".
[[noreturn]] void bad_data(const std::filesystem::path& file, std::string_view text);

/// Name from an untrusted file, fit for a message: control characters as \xNN, cut after 120 characters.
std::string printable(std::string_view text);

}  // namespace polyhead::checkpoint
