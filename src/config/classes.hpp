#pragma once

#include "polyhead/config/config.hpp"
#include "type.hpp"

namespace polyhead::config {

/// Type of the map from labels to outputs: a list of names, a map of labels to numbers, or the path of a
/// file.
Type<ClassMap> class_map();

}  // namespace polyhead::config
