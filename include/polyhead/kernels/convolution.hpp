#pragma once

#include <cstddef>
#include <span>

#include "polyhead/kernels/activations.hpp"
#include "polyhead/kernels/isa.hpp"
#include "polyhead/kernels/workspace.hpp"

namespace polyhead::kernels {

/// A square convolution. Odd sizes are padded by kernel / 2, even sizes are not. There are kernels for 1x1
/// and 3x3, stride 1 or 2, and for 4x4, stride 1 (see stem.hpp).
struct ConvShape {
  int in = 0;  ///< channels
  int out = 0;
  int kernel = 1;
  int stride = 1;

  [[nodiscard]] ImageDims output(const ImageDims& input) const;
};

/// Input and output of a convolution; each is a place in a batch.
struct ConvCall {
  const Activations* in = nullptr;
  int in_first = 0;  ///< image
  Activations* out = nullptr;
  int out_first = 0;
  int images = 0;
  bool add = false;  ///< adds to the content of `out`, before the ReLU
  bool relu = false;
};

/// A convolution with bias, and optionally a sum and a ReLU. Its bits depend neither on the other images of a
/// batch and an image's place in it, nor on threads or instruction set. A NaN or infinite value stays so or
/// becomes NaN, and may do the same to its whole 4x4 tile.
class Convolution {
 public:
  /// Transforms weights, once. `weight`: [out][in][kernel][kernel]; `bias`: [out]; `to`: prepared_size
  /// floats, up to 4 times as many. They are the same for all processes on a host, which may share them.
  /// Throws Error(internal) for other shapes.
  static std::size_t prepared_size(Isa isa, const ConvShape& shape);
  static void prepare(Isa isa, const ConvShape& shape, std::span<const float> weight,
                      std::span<const float> bias, std::span<float> to);
  /// Number of floats that each thread needs for a call, at most. Throws Error(internal) for other shapes.
  static std::size_t scratch(Isa isa, const ConvShape& shape, const ImageDims& out, int images);

  /// `prepared` must outlive it. The processor must have `isa`. Throws Error(internal) for other shapes.
  Convolution(Isa isa, const ConvShape& shape, std::span<const float> prepared);

  /// Computes the call. Dims must fit, and blocks must be those of `isa`. Throws std::bad_alloc where the
  /// workspace has no room yet.
  void operator()(const ConvCall& call, Workspace& workspace) const;

 private:
  Isa isa_;
  ConvShape shape_;
  const float* prepared_;
};

/// Number of channels in a block of activations.
int block_of(Isa isa);

}  // namespace polyhead::kernels
