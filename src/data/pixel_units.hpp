#pragma once

#include <string>

#include "polyhead/config/config.hpp"

namespace polyhead::data {

/// What the values of a data set's pixels are, before `mean` and `std`.
struct PixelValues {
  bool bytes = true;       ///< 8-bit, divided by 255 before; else taken as they are
  bool looked_at = false;  ///< whether some were read, and `lowest` and `highest` are theirs
  float lowest = 0;
  float highest = 0;
};

/// Whether `mean` and `std` are in the pixels' unit. Throws Error(config), with both readings, where they
/// cannot be; returns a warning where they may not be, empty where there is no doubt.
std::string check_units(const config::Preprocess& preprocess, const PixelValues& values);

}  // namespace polyhead::data
