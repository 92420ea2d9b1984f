#pragma once

#include "polyhead/config/config.hpp"
#include "polyhead/model/weights.hpp"

namespace polyhead::model {

/// Messages of loading for the user.
struct Findings {
  Notes notes;
  Notes warnings;  ///< probable mistakes: two heads with the same weights
};

/// Decides all that a configuration leaves to the weights files. A head whose `prefix` has a * becomes one
/// head per match, named by its name and the text that the * matches. A head without `layers` gets the layers
/// that are the only reading of the shapes in its file. Reads files of such heads only. Throws
/// Error(bad_data) where the shapes allow no reading or several, with a suggestion; Error(config) for
/// unusable names of heads.
void complete_heads(config::Config& config);

/// `load_weights` of weights.hpp for complete heads, with the warnings apart. Also throws Error(bad_data)
/// where a file has several readings that differ, and where a head's file has another backbone than the job.
Weights load_weights(const config::Config& config, Findings& findings);

}  // namespace polyhead::model
