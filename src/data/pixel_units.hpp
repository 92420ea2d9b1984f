#pragma once

#include <string>

#include "polyhead/config/config.hpp"

namespace polyhead::data {

/// Values of a data set's pixels before `mean` and `std`.
struct PixelValues {
  bool bytes = true;       ///< 8-bit values, divided by 255 first; else taken as they are
  bool looked_at = false;  ///< whether some values were read, which `lowest` and `highest` bound
  float lowest = 0;
  float highest = 0;
};

/// Checks that `mean` and `std` are in the pixels' unit. Throws Error(config), with both readings, where they
/// cannot be. Returns a warning where they may not be; empty where there is no doubt.
std::string check_units(const config::Preprocess& preprocess, const PixelValues& values);

}  // namespace polyhead::data
