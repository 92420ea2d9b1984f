#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "polyhead/config/config.hpp"
#include "polyhead/model/engine.hpp"
#include "polyhead/model/weights.hpp"

namespace polyhead::model {

/// The backbone's weights as the winograd engine wants them: four times their size, the same for all ranks of
/// a host, which may share them.
struct Prepared {
  std::span<const float> values;
  std::shared_ptr<const void> owner;  ///< of the values, for as long as somebody computes with them
};

/// Values of them; 0 where another engine computes the backbone, which shares nothing.
std::size_t prepared_size(const config::Backbone& backbone, const DeviceAssignment& assignment);

/// `to`: prepared_size values. Throws Error(internal).
void prepare(const config::Backbone& backbone, const Weights& weights, std::span<float> to);

}  // namespace polyhead::model
