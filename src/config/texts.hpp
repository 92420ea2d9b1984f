#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "polyhead/config/head_name.hpp"
#include "type.hpp"

/// Types of options that are text.
namespace polyhead::config {

/// Longest name of a head, in bytes: names lie in the result file at a fixed width of 64.
inline constexpr std::size_t kMaxHeadName = 63;

Type<std::string> text();
/// A text that may be empty, or the word `auto` for nothing.
Type<std::optional<std::string>> text_or_auto();
/// A map from texts to texts: {fc1: 0}.
Type<std::map<std::string, std::string>> text_map();
/// The name of a head.
Type<std::string> head_name();
/// A path, made absolute and normal, with ~/, $NAME and ${NAME} replaced where the user wrote it. A file
/// whose real name is so written makes the path ambiguous: an issue.
Type<std::filesystem::path> path();
/// A pattern as glob(7) describes it, made absolute and expanded in the same way. The folder before it and
/// the values of variables are taken literally, whatever their characters.
Type<std::string> pattern();

/// Reason why `text` cannot be written to YAML and HDF5, if any: "is empty".
std::optional<std::string> problem_of_text(const std::string& text);

}  // namespace polyhead::config
