#pragma once

#include "polyhead/config/config.hpp"
#include "polyhead/model/weights.hpp"

namespace polyhead::model {

/// What loading has to tell the user.
struct Findings {
  Notes notes;
  Notes warnings;  ///< what may be meant, but often is not: two heads with the same weights
};

/// Decides what a configuration leaves to the weights files: a head whose `prefix` has a * becomes a head for
/// each match, named by its name and what the * stands for; a head without `layers` gets those that the
/// shapes in its file leave as the only reading. Reads files of such heads only. Throws Error(bad_data) where
/// they leave none or several, with a suggestion; Error(config) for names of heads that are not usable.
void complete_heads(config::Config& config);

/// `load_weights` of weights.hpp, heads being complete, with the warnings apart. Also throws Error(bad_data)
/// where a file can be read in several ways that differ, and where a head's file has another backbone than
/// the job.
Weights load_weights(const config::Config& config, Findings& findings);

}  // namespace polyhead::model
