#pragma once

#include <cstddef>
#include <span>

#include "algorithm.hpp"

namespace polyhead::kernels {

/// Layout of transformed weights, G g G^T, in the order in which the product reads them. First the bias of
/// whole panels, then [slot][panel of two vectors of channels out][channel in][channel out].
class Weights {
 public:
  /// `panel`: channels out per panel.
  Weights(Scheme scheme, int in, int out, int panel) : scheme_(scheme), in_(in), out_(out), panel_(panel) {}

  [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(at(slots() * slots(), 0)); }
  /// `weight`: [out][in][taps][taps]; `to`: size() floats.
  void write(std::span<const float> weight, std::span<const float> bias, std::span<float> to) const;

  /// Number of slots along an axis.
  [[nodiscard]] int slots() const { return slots_of(scheme_); }
  [[nodiscard]] int panels() const { return (out_ + panel_ - 1) / panel_; }
  /// Position of a panel; the bias is at 0.
  [[nodiscard]] std::ptrdiff_t at(int slot, int panel) const {
    const std::ptrdiff_t matrices = std::ptrdiff_t{slot} * panels() + panel;
    return (panels() + matrices * in_) * panel_;
  }

 private:
  Scheme scheme_;
  int in_;
  int out_;
  int panel_;
};

}  // namespace polyhead::kernels
