#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "polyhead/run/inputs.hpp"

/// Check of facts that a weights file does not state: compares logits of a few samples with PyTorch's.
/// docs/check.md has the file's format.
namespace polyhead::run {

/// Distance of one head's logits, or of the fused scores, from the reference.
struct ScoreDifference {
  std::string what;    ///< "head 'mlp'"
  double largest = 0;  ///< largest |reference - ours| among all samples and classes
  double share = 0;    ///< largest share of the tolerance that a difference uses; beyond 1 the two differ
  std::int64_t same_top = 0;  ///< samples for which both give the same class
  std::string worst;          ///< "sample 2 ('x.jpg'), class 3: the reference has 1.5, polyhead gives 1.25"
};

/// Distance of preprocessed pixels from the reference's.
struct PixelDifference {
  double largest = 0;     ///< |reference - ours|, in units of normalised pixels
  bool same = true;       ///< within the tolerance
  bool reversed = false;  ///< equal only with the channels in reversed order
  std::string worst;
};

/// A comparison without differences beyond the tolerance, which is that of `verify` (compare.hpp).
struct Agreement {
  std::int64_t samples = 0;
  std::int64_t other_heads = 0;  ///< heads that the reference does not have
  std::vector<ScoreDifference>
      scores;  ///< differences of the heads, and last of the fused scores where they were compared
  bool fused = false;
  std::optional<PixelDifference> pixels;  ///< present where the reference has pixels
  double seconds = 0;
};

/// Computes the samples of `reference` in this process, as a rank with all heads does, and compares. Where
/// the reference has pixels, the model computes on them, so that a difference comes from the model alone.
/// Throws Error: no_input and bad_data for a file that is missing or has another format. Throws bad_data
/// where logits or pixels differ, with the place, the size and the usual causes of the difference.
Agreement compare_with_reference(const Inputs& inputs, const std::filesystem::path& reference);

/// "4 samples compared with ref.npz: 5 heads agree, within 3.1e-07; in 0.8 s"
std::string describe(const Agreement& agreement, const std::filesystem::path& reference);

}  // namespace polyhead::run
