#pragma once

#include <string>
#include <vector>

#include "match.hpp"
#include "polyhead/config/config.hpp"

namespace polyhead::model {

/// Options for reading the file that holds a head.
struct HeadLookup {
  std::optional<std::string> prefix;
  config::Renames rename;
  const TakenTensors* trunk = nullptr;  ///< tensors of a backbone in this file
};

/// Finds a head under nn.Sequential's names, which are numbers. Where shapes leave one assignment, layers may
/// have any names, in the file's order. Returns what `match_parameters` returns; for a single layer, all that
/// fit.
std::vector<Match> match_head(const checkpoint::Checkpoint& file,
                              const std::vector<ExpectedParameter>& expected, const HeadLookup& lookup);

/// The head that the file holds, where its shapes leave one reading: a linear layer from `features`.
/// Otherwise `problem` says what is there, with a suggestion for `layers`.
struct GuessedHead {
  std::vector<config::Layer> layers;
  std::string problem;
};
GuessedHead guess_head(const checkpoint::Checkpoint& file, const HeadLookup& lookup, std::int64_t features);

/// One prefix for several that differ in one word: "heads.*.0." for "heads.0.0." and "heads.1.0.". Empty
/// where they differ otherwise.
std::string starred(const std::vector<std::string>& prefixes);

}  // namespace polyhead::model
