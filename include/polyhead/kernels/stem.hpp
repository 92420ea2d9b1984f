#pragma once

#include <cstddef>
#include <span>
#include <vector>

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

  /// The convolution that it is computed by.
  static ConvShape paired_shape(int out);

  /// What each thread keeps of an image on its way: some rows at a time, so that they stay in the caches.
  struct Band {
    Activations pairs;      ///< 12 channels: [row of the pair][column of the pair][colour]
    Activations convolved;  ///< its border above holds the row before
  };
  struct Memory {
    Memory(const Stem& stem, int height, int width, int threads);
    int height;
    int width;
    std::vector<Band> bands;  ///< a thread
  };

  [[nodiscard]] ImageDims output(int height, int width) const;
  /// `pixels`: [image][3][height][width], from the first of `images` images on; `out` takes them from `first`
  /// on.
  void operator()(const float* pixels, int images, Activations& out, int first, Memory& memory,
                  Workspace& workspace) const;

 private:
  struct Job;
  void compute_band(const Job& job, int image, int band, bool pooled, int thread) const;

  Isa isa_;
  int channels_;
  Convolution convolution_;
};

}  // namespace polyhead::kernels
