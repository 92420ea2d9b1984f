#pragma once

#include <cstddef>
#include <deque>
#include <span>

#include "polyhead/kernels/convolution.hpp"

namespace polyhead::kernels {

/// The beginning of a ResNet: a 7x7 convolution of stride 2 with bias, a ReLU, and a 3x3 maximum of stride 2.
///
/// With each 2x2 pixels taken as one of four times the channels, and an eighth row and column of zeros, the
/// convolution is one of 4x4 and stride 1, which Winograd's F(4, 4) computes.
class Stem {
 public:
  /// As Convolution's. `weight`: [out][3][7][7]; `bias`: [out].
  static std::size_t prepared_size(Isa isa, int out);
  static void prepare(Isa isa, int out, std::span<const float> weight, std::span<const float> bias,
                      std::span<float> to);
  Stem(Isa isa, int out, std::span<const float> prepared);

  static ImageDims output(int out, int height, int width);
  /// Memory of a band.
  static std::size_t band_bytes(Isa isa, int out, int width);

  /// What each thread keeps of an image on its way: some rows at a time, so that they stay in the caches.
  struct Band {
    Band(const Stem& stem, int width);
    Activations pairs;      ///< 12 channels: [row of the pair][column of the pair][colour]
    Activations convolved;  ///< its border above holds the row before
    Workspace workspace{1};
  };
  struct Memory {
    Memory(const Stem& stem, int height, int width, int threads);
    ImageDims image;
    std::deque<Band> bands;  ///< a thread
  };

  /// `pixels`: [image][3][height][width], from the first of `images` images on; `out` takes them from `first`
  /// on. The team may not have more threads than the memory was made for.
  void operator()(const float* pixels, int images, Activations& out, int first, Memory& memory,
                  Team& team) const;

 private:
  void convolve(const float* pixels, const ImageDims& image, int number, Band& band) const;

  Isa isa_;
  int channels_;
  Convolution convolution_;
};

}  // namespace polyhead::kernels
