#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace polyhead {

/// Nearest of `known` to a mistyped `word`, for "did you mean". Levenshtein distance of at most a third of
/// its length; 1 is always allowed.
std::optional<std::string> closest(std::string_view word, const std::vector<std::string>& known);

/// 1536 -> "1.5 KiB".
std::string human_bytes(std::uint64_t bytes);

/// 3725.4 -> "1:02:05", 65.2 -> "1:05", 4.25 -> "4.2 s".
std::string human_seconds(double seconds);

/// Like `human_seconds`, but 0.0254 -> "25.4 ms", 5e-5 -> "50 us": for times that are compared.
std::string fine_seconds(double seconds);

/// "1 rank", "2 ranks", "3 micro-batches"
std::string counted(std::int64_t count, std::string_view noun);

/// "a, b, c"
std::string join(const std::vector<std::string>& words, std::string_view separator = ", ");

}  // namespace polyhead
