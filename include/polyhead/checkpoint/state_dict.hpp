#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "polyhead/base/error.hpp"
#include "polyhead/checkpoint/checkpoint.hpp"
#include "polyhead/checkpoint/pickle.hpp"

namespace polyhead::checkpoint {

/// A dict of tensors in a saved object.
struct StateDictEntry {
  std::string key;     ///< its place: "state_dict", "student.backbone", "0" in a list, "." itself
  Checkpoint tensors;  ///< names and shapes; no values are read
};

/// A file holds several dicts of tensors, and no key says which is meant. A caller that knows the purpose may
/// choose among the entries by names and shapes, and read again with the entry's key.
class SeveralStateDicts : public Error {
 public:
  SeveralStateDicts(const std::filesystem::path& file, std::vector<StateDictEntry> entries);
  [[nodiscard]] const std::vector<StateDictEntry>& entries() const { return *entries_; }

 private:
  std::shared_ptr<const std::vector<StateDictEntry>> entries_;
};

/// Finds the dict of tensors in a saved object: the object itself, or one under keys that are texts or in a
/// list, whatever their names. `key` names the dict or its container where there are several. Throws
/// SeveralStateDicts; Error(bad_data) that names the keys it saw when there is none.
const pickle::Dict& find_state_dict(const std::filesystem::path& file, const pickle::Document& document,
                                    const std::string& key);

}  // namespace polyhead::checkpoint
