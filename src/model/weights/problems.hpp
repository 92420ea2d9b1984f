#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "polyhead/base/error.hpp"

namespace polyhead::model {

/// Collects the problems of several files and reports all at once.
class Problems {
 public:
  void add(ExitCode code, std::string line);
  [[nodiscard]] bool any() const { return count_ > 0; }
  /// Throws Error with one line per problem. Its code is theirs when they all have one code, otherwise
  /// bad_data.
  void throw_if_any() const;

 private:
  std::vector<std::string> lines_;
  std::size_t count_ = 0;
  ExitCode code_ = ExitCode::bad_data;
};

}  // namespace polyhead::model
