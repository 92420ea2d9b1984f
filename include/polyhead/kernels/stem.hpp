#pragma once

#include <span>

#include "polyhead/kernels/convolution.hpp"

namespace polyhead::kernels {

/// The beginning of a ResNet: a 7x7 convolution of stride 2 with bias, a ReLU, and a 3x3 maximum of stride 2.
///
/// With each 2x2 pixels taken as one of four times the channels, and an eighth row and column of zeros, the
/// convolution is one of 4x4 and stride 1, which Winograd's F(4, 4) computes.
class Stem {
 public:
  /// `weight`: [out][3][7][7]; `bias`: [out]. Throws as Convolution does.
  Stem(Isa isa, int out, std::span<const float> weight, std::span<const float> bias);

  /// Between the steps, for up to `images` images of height x width.
  struct Memory {
    Memory(const Stem& stem, int images, int height, int width);
    int height;
    int width;
    Activations pairs;  ///< 12 channels: [row of the pair][column of the pair][colour]
    Activations convolved;
  };

  [[nodiscard]] ImageDims output(int height, int width) const;
  /// `pixels`: [image][3][height][width], from the first of `images` images on; `out` takes them from `first`
  /// on.
  void operator()(const float* pixels, int images, Activations& out, int first, Memory& memory,
                  Workspace& workspace) const;

 private:
  Isa isa_;
  Convolution convolution_;
};

}  // namespace polyhead::kernels
