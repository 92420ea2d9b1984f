#pragma once

#include <filesystem>
#include <string>

#include "polyhead/model/pickle.hpp"

namespace polyhead::model {

/// Finds the dict of tensors in what was saved: the object itself, or what it keeps under "state_dict",
/// "model" and the like; `key` decides where there are several. Throws Error(bad_data) that names the keys it
/// saw when there is none.
const pickle::Dict& find_state_dict(const std::filesystem::path& file, const pickle::Document& document,
                                    const std::string& key);

}  // namespace polyhead::model
