#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "polyhead/run/inputs.hpp"

/// A guard against what a weights file does not say: compares logits of a few samples with those that PyTorch
/// gave for them. docs/check.md has the file's format.
namespace polyhead::run {

/// How far one head's logits, or the fused scores, lie from the reference.
struct ScoreDifference {
  std::string what;           ///< "head 'mlp'"
  double largest = 0;         ///< |reference - ours|, the largest among all samples and classes
  double share = 0;           ///< of the tolerance that the worst one uses; the two differ beyond 1
  std::int64_t same_top = 0;  ///< samples for which both give the same class
  std::string worst;          ///< "sample 2 ('x.jpg'), class 3: the reference has 1.5, polyhead gives 1.25"
};

/// How preprocessed pixels lie from the reference's.
struct PixelDifference {
  double largest = 0;     ///< |reference - ours|, in units of normalised pixels
  bool same = true;       ///< within the tolerance
  bool reversed = false;  ///< the same only with the channels in reversed order
  std::string worst;
};

/// A comparison in which nothing differs beyond the tolerance: that of `verify` (compare.hpp).
struct Agreement {
  std::int64_t samples = 0;
  std::int64_t other_heads = 0;         ///< heads that the reference does not have
  std::vector<ScoreDifference> scores;  ///< of heads, and last the fused ones where they were compared
  bool fused = false;
  std::optional<PixelDifference> pixels;  ///< where the reference has them
  double seconds = 0;
};

/// Computes the samples of `reference` in this process, as a rank that has all heads does, and compares.
/// Where the reference has pixels, the model computes on them, so that a difference is that of the model
/// alone. Throws Error: no_input and bad_data for a file that is missing or not of the format; bad_data where
/// logits or pixels differ, with what differs, by how much and the usual causes.
Agreement compare_with_reference(const Inputs& inputs, const std::filesystem::path& reference);

/// "4 samples compared with ref.npz: 5 heads agree, within 3.1e-07; in 0.8 s"
std::string describe(const Agreement& agreement, const std::filesystem::path& reference);

}  // namespace polyhead::run
