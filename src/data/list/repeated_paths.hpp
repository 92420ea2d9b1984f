#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace polyhead::data {

/// Finds paths that a list has more than once. Remembers up to two million paths; of longer lists a part that
/// hashes choose. So it still notices a list with several labels per image.
class RepeatedPaths {
 public:
  void add(std::string_view path, std::int64_t line, std::int32_t label);
  /// Settles after the last line; `where` is the list. Throws Error(bad_data) when a path has two labels, and
  /// names both lines. Otherwise says how many paths are repeated; empty when none is.
  std::string settle(std::string_view where);

 private:
  struct Entry {
    std::uint64_t hash = 0;
    std::int64_t line = 0;
    std::int32_t label = -1;
  };
  void thin_out();

  std::vector<Entry> entries_;
  std::uint64_t stride_ = 1;  ///< a hash is remembered if this divides it
};

}  // namespace polyhead::data
