#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "match.hpp"

namespace polyhead::model {

/// Weights files as they are read; keeps the last one, since many heads may be in one file.
class WeightsFiles {
 public:
  /// Names without what wrappers put in. Throws as `read_checkpoint` does.
  std::shared_ptr<const checkpoint::Checkpoint> read(const std::filesystem::path& path,
                                                     const std::string& key);

 private:
  std::filesystem::path path_;
  std::string key_;
  std::shared_ptr<const checkpoint::Checkpoint> last_;
};

/// The part of a file that was asked for.
struct Reading {
  std::shared_ptr<const checkpoint::Checkpoint> file;  ///< what `match` points into
  std::string key;  ///< of several dicts of tensors, the one that was taken
  Match match;
  std::vector<std::string> equals;  ///< other readings with the same values, in words
};

/// All ways in which a checkpoint can be read for what is wanted, or the nearest with its problems.
using Fit = std::function<std::vector<Match>(const checkpoint::Checkpoint&)>;

/// Reads the only part of the file that fits, or one of several that hold the same values. Where several fit
/// and differ, the match has that as its only problem; where none fits, it is the nearest. Values of a match
/// with problems may be missing. `part`: a head may be read in several ways at once, with a * in its prefix.
/// Throws as `read_checkpoint` does.
enum class Part { backbone, head };
Reading choose_reading(WeightsFiles& files, const std::filesystem::path& path, const std::string& key,
                       Part part, const Fit& fit);

/// The entries of a file, without values where there are several; all that a `key` leaves.
struct ListedEntry {
  std::string key;  ///< empty for a file with one
  std::shared_ptr<const checkpoint::Checkpoint> tensors;
};
std::vector<ListedEntry> list_entries(WeightsFiles& files, const std::filesystem::path& path,
                                      const std::string& key);

}  // namespace polyhead::model
