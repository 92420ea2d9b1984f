#pragma once

#include <optional>
#include <string>

#include "polyhead/model/pickle.hpp"

namespace polyhead::model::pickle {

/// What "module.name" stands for: a `Callable` or the `ElementType` of a storage class. Empty for everything
/// that a checkpoint of tensors has no use for.
std::optional<Object> find_global(const std::string& name);

}  // namespace polyhead::model::pickle
