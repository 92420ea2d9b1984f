#pragma once

#include <filesystem>
#include <string>

/// What stands under an output's name before a run has made it.
namespace polyhead::store {

enum class Occupant {
  nothing,  ///< also a symbolic link to a file that is not there yet
  result,   ///< of polyhead: of any version, unfinished and damaged ones as well
  empty,    ///< a file without a byte
  stranger  ///< anything else, which no run may replace
};

/// Looks at the first and the last bytes only, so that damaged results count as what they are. Throws
/// Error(cant_create) where links lead in a circle or nobody may look.
Occupant occupant_of(const std::filesystem::path& output);

/// What a run on the output wants, as the middle of a sentence: "--resume, --overwrite or another
/// output.path". Empty where nothing is in its way.
std::string ways_on(const std::filesystem::path& output);

/// The file that the output's name stands for: symbolic links are followed to their end, which need not be
/// there. Throws Error(cant_create) as `occupant_of` does.
std::filesystem::path target_of(const std::filesystem::path& output);

}  // namespace polyhead::store
