#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace polyhead::store {

/// Version of the result file's format; only grows. docs/result-format.md describes each.
inline constexpr std::int64_t kFormatVersion = 1;

/// Parameters of a result file's shape.
struct Layout {
  std::int64_t samples = 0;              ///< N
  std::int64_t classes = 0;              ///< C
  std::vector<std::string> heads;        ///< names of the heads; K = heads.size()
  std::vector<double> head_weights;      ///< weights of the heads in the fusion; K
  std::vector<std::string> class_names;  ///< C names, or empty
  std::string fusion_rule;               ///< "mean-logits"
  std::int64_t batch = 0;                ///< samples in a micro-batch, m
  bool head_scores = false;              ///< whether /heads/scores is there
  bool margin = false;                   ///< whether /uncertainty/margin is there

  [[nodiscard]] std::int64_t head_count() const { return static_cast<std::int64_t>(heads.size()); }
  [[nodiscard]] std::int64_t batches() const { return (samples + batch - 1) / batch; }
  friend bool operator==(const Layout&, const Layout&) = default;
};

}  // namespace polyhead::store
