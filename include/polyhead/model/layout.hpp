#pragma once

#include "polyhead/config/config.hpp"
#include "polyhead/model/weights.hpp"

namespace polyhead::model {

/// Layout of the values that `load_weights` packs for this configuration. A pure function of the architecture
/// and the heads' layers, so that every rank can check the weights that it receives.
struct Layout {
  std::vector<Parameter> parameters;  ///< backbone, then head by head
  std::int64_t values = 0;            ///< fp32 values in all, padding included
  std::vector<std::int64_t>
      head_begin;  ///< [K + 1]: index of each head's first value, and the end of the last head
  std::int64_t feature_width = 0;
  std::int64_t classes = 0;  ///< 0 without heads: a rank may have none
};

/// `members`: of a configuration whose members are whole models; null for heads on a backbone. Throws
/// Error(bad_data) when the heads differ in their number of classes (lists each head's), or when a layer is
/// too large to be counted.
Layout make_layout(const config::Config& config, const graph::Ensemble* members = nullptr);

/// Constants of the trunk, then those that each member alone needs.
Layout layout_of(const graph::Ensemble& members);

}  // namespace polyhead::model
