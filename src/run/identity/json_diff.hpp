#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace polyhead::run {

/// Discarded when the text is no JSON object.
nlohmann::json parse_object(const std::string& text);

/// An entry in which two JSON objects differ; "nothing" where one has none.
struct Change {
  std::string key;
  std::string held;
  std::string now;
};
std::vector<Change> changes(const nlohmann::json& held, const nlohmann::json& now);

/// "weights: A in the file, B now".
std::string describe(const Change& change);
std::vector<std::string> describe(const std::vector<Change>& changes);

/// The JSON objects of a provenance, one for each start or resume; lines that a crash has cut are left out.
std::vector<nlohmann::json> provenance_lines(const std::string& provenance);

/// Whether the ranks of any start or resume of a run (`provenance`) would not have computed the same bits.
bool was_mixed(const std::string& provenance);

}  // namespace polyhead::run
