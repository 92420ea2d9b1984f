#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace polyhead::run {

/// Parses an object; the result is discarded when the text is no JSON object.
nlohmann::json parse_object(const std::string& text);

/// An entry in which two JSON objects differ; "nothing" where one lacks it.
struct Change {
  std::string key;
  std::string held;
  std::string now;
};
std::vector<Change> changes(const nlohmann::json& held, const nlohmann::json& now);

/// Text "weights: A in the file, B now".
std::string describe(const Change& change);
std::vector<std::string> describe(const std::vector<Change>& changes);

/// JSON objects of a provenance, one per start or resume; lines that a crash has cut are left out.
std::vector<nlohmann::json> provenance_lines(const std::string& provenance);

/// Whether the ranks of any start or resume in `provenance` could have computed different bits.
bool was_mixed(const std::string& provenance);

}  // namespace polyhead::run
