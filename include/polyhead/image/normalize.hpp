#pragma once

#include <array>
#include <cstddef>

#include "polyhead/config/config.hpp"

namespace polyhead::image {

/// torchvision's `ToTensor` and `Normalize`: (value / 255 - mean) / std, in fp32 and in this order.
struct Normalization {
  std::array<float, 3> mean{};
  std::array<float, 3> std{};
  std::array<std::array<float, 256>, 3> table{};  ///< result for each 8-bit value, per channel

  explicit Normalization(const config::Preprocess& preprocess) {
    for (std::size_t c = 0; c < 3; ++c) {
      mean[c] = static_cast<float>(preprocess.mean[c]);
      std[c] = static_cast<float>(preprocess.std[c]);
      for (std::size_t value = 0; value < 256; ++value) {
        table[c][value] = of(static_cast<float>(value) / 255.0F, c);
      }
    }
  }

  /// Result for a value that is already divided by 255.
  [[nodiscard]] float of(float value, std::size_t channel) const {
    return (value - mean[channel]) / std[channel];
  }
};

}  // namespace polyhead::image
