#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "polyhead/kernels/convolution.hpp"

namespace polyhead::kernels {

/// A convolution's shape and its weights, batch norm folded: [out][in][kernel][kernel] and [out].
struct ConvWeights {
  ConvShape shape;
  std::span<const float> weight;
  std::span<const float> bias;
};

/// Convolutions with a ReLU after each but the last, then the block's input, or what `downsample` makes of
/// it, is added, then a ReLU.
struct BlockWeights {
  std::vector<ConvWeights> convs;
  std::optional<ConvWeights> downsample;
};

/// 7x7 stem of stride 2 (its shape says so), 3x3 maximum of stride 2, blocks, global average.
struct ResNetWeights {
  ConvWeights stem;
  std::vector<BlockWeights> blocks;
};

/// How a ResNet is computed, from its shapes alone: one convolution after the other, between activations that
/// are given by their numbers.
struct ResNetPlan {
  struct Step {
    ConvShape shape;
    std::size_t in;
    std::size_t out;
    bool add;  ///< to what `out` holds
    bool relu;
  };

  /// The spans of `shapes` may be empty.
  ResNetPlan(const ResNetWeights& shapes, int height, int width);

  std::vector<ImageDims> activations;  ///< the first is the stem's output
  std::vector<Step> steps;             ///< of each block the downsampling first
};

/// Images that go through the large layers together.
int most_together(int threads);
/// Whether activations hold the whole batch, and what reads them is computed for all of it at once.
bool whole_batch(const ImageDims& dims);

/// Bytes that a network and one ResNet::Memory of it take: weights + fixed + m x image for a micro-batch of
/// m.
struct ResNetFootprint {
  std::size_t weights = 0;
  std::size_t fixed = 0;  ///< scratch of the threads, activations of the large layers
  std::size_t image = 0;  ///< activations of the layers that are computed for the whole batch
};

/// Looks at the shapes only. The rest as of Memory; with a batch far from `batch`, `fixed` may be some MiB a
/// thread less or more. The processor must have `isa`.
ResNetFootprint footprint(Isa isa, const ResNetWeights& shapes, int batch, int height, int width,
                          int threads);

}  // namespace polyhead::kernels
