#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "polyhead/fusion/rule.hpp"

namespace polyhead::fusion {

/// The rule median: per class the median of the heads' scores, all heads weighted equally. With an even
/// number of heads it is the mean of the two middle scores, taken in double and rounded once. The prediction
/// is the lowest class with the largest median as it is stored.
std::unique_ptr<Rule> make_median(const std::vector<double>& weights, std::int64_t classes);

}  // namespace polyhead::fusion
