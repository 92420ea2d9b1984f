#pragma once

#include <cstddef>
#include <deque>
#include <span>

#include "polyhead/kernels/convolution.hpp"

namespace polyhead::kernels {

/// First layers of a ResNet: a 7x7 convolution of stride 2 with bias, a ReLU, and a 3x3 maximum of stride 2.
///
/// Each 2x2 pixels are taken as one with four times the channels, and an eighth row and column of zeros is
/// added. The convolution is then one of 4x4 and stride 1, which Winograd's F(4, 4) computes.
class Stem {
 public:
  /// As in Convolution. `weight`: [out][3][7][7]; `bias`: [out].
  static std::size_t prepared_size(Isa isa, int out);
  static void prepare(Isa isa, int out, std::span<const float> weight, std::span<const float> bias,
                      std::span<float> to);
  Stem(Isa isa, int out, std::span<const float> prepared);

  static ImageDims output(int out, int height, int width);
  /// Bytes of a band.
  static std::size_t band_bytes(Isa isa, int out, int width);

  /// Intermediate rows of one thread's image: a few at a time, so that they stay in the caches.
  struct Band {
    Band(const Stem& stem, int width);
    Activations pairs;      ///< 12 channels: [row of the pair][column of the pair][colour]
    Activations convolved;  ///< its upper border holds the row before
    Workspace workspace{1};
  };
  struct Memory {
    Memory(const Stem& stem, int height, int width, int threads);
    ImageDims image;
    std::deque<Band> bands;  ///< one per thread
  };

  /// `pixels`: [image][3][height][width], from the first of `images` images on; `out` takes them from `first`
  /// on. The team must not have more threads than the memory was made for.
  void operator()(const float* pixels, int images, Activations& out, int first, Memory& memory,
                  Team& team) const;

 private:
  void convolve(const float* pixels, const ImageDims& image, int number, Band& band) const;

  Isa isa_;
  int channels_;
  Convolution convolution_;
};

}  // namespace polyhead::kernels
