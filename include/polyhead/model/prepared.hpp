#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "polyhead/config/config.hpp"
#include "polyhead/model/engine.hpp"
#include "polyhead/model/weights.hpp"

namespace polyhead::model {

/// Weights of the backbone in the winograd engine's layout: four times their size, the same for all ranks of
/// a host, which may share them.
struct Prepared {
  std::span<const float> values;
  std::shared_ptr<const void> owner;  ///< owner of the values, kept while they are in use
};

/// Number of prepared values; 0 where another engine computes the backbone, which shares nothing.
std::size_t prepared_size(const config::Backbone& backbone, const DeviceAssignment& assignment);

/// `to`: prepared_size values. Throws Error(internal).
void prepare(const config::Backbone& backbone, const Weights& weights, std::span<float> to);

}  // namespace polyhead::model
