#pragma once

#include <cstddef>
#include <vector>

#include "polyhead/resnet/spec.hpp"

namespace polyhead::resnet {

/// Plan by which the kernels compute a ResNet, from its shapes alone: after the stem one convolution after
/// the other, between activations that are given by their numbers.
struct Plan {
  struct Step {
    std::size_t conv;  ///< number among convolutions(spec)
    std::size_t in;
    std::size_t out;
    bool add;  ///< adds to the content of `out`
    bool relu;
  };

  Plan(const Spec& spec, int height, int width);

  std::vector<kernels::ImageDims> activations;  ///< the first is the stem's output
  std::vector<Step> steps;  ///< steps in order; in each block the downsampling comes first
};

/// Number of floats that a thread needs: for an image in the large layers, and for any step.
struct Scratch {
  std::size_t large = 0;
  std::size_t most = 0;
};
Scratch scratch_of(kernels::Isa isa, const Spec& spec, const Plan& plan, int batch);

/// Whether activations hold the whole batch, and their readers are computed for all of it at once.
bool whole_batch(const kernels::ImageDims& dims);

/// Bytes that a network and one Network::Memory of it take: weights + fixed + m x image for a micro-batch of
/// m.
struct Footprint {
  std::size_t weights = 0;
  std::size_t fixed = 0;  ///< scratch of the threads, and activations of the large layers
  std::size_t image = 0;  ///< activations of the layers that are computed for the whole batch
};

/// Footprint with as many threads as the Memory. With a batch far from `batch`, `fixed` may be some MiB per
/// thread less or more. The processor must have `isa`.
Footprint footprint(kernels::Isa isa, const Spec& spec, int batch, int height, int width, int threads);

}  // namespace polyhead::resnet
