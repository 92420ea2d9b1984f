#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "polyhead/base/digest.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/model/layout.hpp"
#include "polyhead/plan/grid.hpp"

namespace polyhead::run {

/// A part of rank 0's values: the backbone, or the heads of one member.
struct Part {
  std::size_t begin = 0;
  std::size_t size = 0;
};

std::size_t as_index(std::int64_t value);
Part backbone_of(const model::Layout& layout);
Part part_of(const model::Layout& layout, plan::HeadRange heads);
Digest digest_of(std::span<const float> values);

/// Weights of a rank without values. `size`: number of values to come. `all`: the layout of all heads;
/// `members`: all whole models, or null.
model::Weights without_values(const config::Config& config, const model::Layout& all,
                              const graph::Ensemble* members, plan::HeadRange heads, std::size_t& size);

}  // namespace polyhead::run
