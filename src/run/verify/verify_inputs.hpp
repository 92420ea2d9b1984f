#pragma once

#include "polyhead/run/inputs.hpp"
#include "polyhead/run/verify.hpp"

namespace polyhead::run {

/// Inputs that the configuration in the file names, in their present state. A list of samples beside the file
/// is used, but a new one is written elsewhere. Throws Error as `load_inputs` does.
Inputs inputs_of(const store::Reader& reader, const VerifyOptions& options);

}  // namespace polyhead::run
