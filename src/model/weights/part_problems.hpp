#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "polyhead/config/config.hpp"
#include "problems.hpp"
#include "trunk.hpp"

namespace polyhead::model {

/// Problems with the files of backbone and heads. A problem that many heads share word for word is reported
/// for the first ones only.
class FileProblems {
 public:
  explicit FileProblems(Problems& problems) : problems_(problems) {}
  /// `what` names the part: "head 'a'".
  void add(const std::string& what, const std::filesystem::path& file, const std::vector<std::string>& found);
  /// Must be called after all files were read.
  void count_the_rest();

 private:
  Problems& problems_;
  std::map<std::vector<std::string>, std::size_t> seen_;  // number of files per list of problems
};

/// Heads whose files have another backbone than the job.
class TrunkProblems {
 public:
  explicit TrunkProblems(Problems& problems) : problems_(problems) {}
  void add(const config::Head& head, const std::filesystem::path& backbone,
           const TrunkDifference& difference);
  /// Must be called after all files were read: reports the number of others and a remedy.
  void count_the_rest();

 private:
  Problems& problems_;
  std::size_t count_ = 0;
};

}  // namespace polyhead::model
