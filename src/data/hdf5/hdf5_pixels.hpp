#pragma once

#include "data/pixel_units.hpp"
#include "polyhead/config/config.hpp"

namespace polyhead::data {

/// Reads some images of an HDF5 file. Where they cannot be read, only their type is known. Throws Error
/// (no_input, bad_data).
PixelValues look_at_hdf5_pixels(const config::Data& config);

}  // namespace polyhead::data
