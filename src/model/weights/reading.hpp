#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "match.hpp"

namespace polyhead::model {

/// Weights files while they are read. Keeps the last one, since many heads may be in one file.
class WeightsFiles {
 public:
  /// Reads a file; its names lack what wrappers put in. Throws what `read_checkpoint` throws.
  std::shared_ptr<const checkpoint::Checkpoint> read(const std::filesystem::path& path,
                                                     const std::string& key);

 private:
  std::filesystem::path path_;
  std::string key_;
  std::shared_ptr<const checkpoint::Checkpoint> last_;
};

/// The requested part of a file.
struct Reading {
  std::shared_ptr<const checkpoint::Checkpoint> file;  ///< owner of what `match` points to
  std::string key;  ///< key of the dict of tensors that was taken, where there are several
  Match match;
  std::vector<std::string> equals;  ///< other readings with equal values, in words
};

/// All readings of a checkpoint for a part, or the nearest with its problems.
using Fit = std::function<std::vector<Match>(const checkpoint::Checkpoint&)>;

/// Reads the only part of the file that fits, or one of several that hold equal values. Where several fit and
/// differ, the match has that as its only problem. Where none fits, it is the nearest. Values of a match with
/// problems may be missing. `part`: a head may be read in several ways at once, with a * in its prefix.
/// Throws what `read_checkpoint` throws.
enum class Part { backbone, head };
Reading choose_reading(WeightsFiles& files, const std::filesystem::path& path, const std::string& key,
                       Part part, const Fit& fit);

/// Entry of a file, without values where there are several entries; all that a `key` leaves.
struct ListedEntry {
  std::string key;  ///< empty where the file has one dict
  std::shared_ptr<const checkpoint::Checkpoint> tensors;
};
std::vector<ListedEntry> list_entries(WeightsFiles& files, const std::filesystem::path& path,
                                      const std::string& key);

}  // namespace polyhead::model
