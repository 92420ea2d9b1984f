#pragma once

#include <filesystem>
#include <string>

/// State of an output's path before a run has made the file.
namespace polyhead::store {

enum class Occupant {
  nothing,  ///< also a symbolic link to a file that is not there yet
  result,   ///< a result of polyhead: any version, also unfinished or damaged
  empty,    ///< a file of zero bytes
  stranger  ///< anything else, which no run may replace
};

/// Classifies the path. Reads the first and the last bytes only, so that damaged results count as results.
/// Throws Error(cant_create) where links form a circle or access is forbidden.
Occupant occupant_of(const std::filesystem::path& output);

/// Ways to run on the output, as the middle of a sentence: "--resume, --overwrite or another output.path".
/// Empty where nothing is in its way.
std::string ways_on(const std::filesystem::path& output);

/// File that the output's name stands for: symbolic links are followed to their end, which need not exist.
/// Throws Error(cant_create) as `occupant_of` does.
std::filesystem::path target_of(const std::filesystem::path& output);

}  // namespace polyhead::store
