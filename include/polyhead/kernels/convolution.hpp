#pragma once

#include <cstddef>
#include <span>

#include "polyhead/kernels/activations.hpp"
#include "polyhead/kernels/isa.hpp"
#include "polyhead/kernels/workspace.hpp"

namespace polyhead::kernels {

/// A square convolution. One of odd size is padded by kernel / 2, one of even size is not. There are kernels
/// for 1x1 and 3x3, stride 1 or 2, and for 4x4, stride 1 (see stem.hpp).
struct ConvShape {
  int in = 0;  ///< channels
  int out = 0;
  int kernel = 1;
  int stride = 1;

  [[nodiscard]] ImageDims output(const ImageDims& input) const;
};

/// What a convolution reads and writes; each is a place in a batch.
struct ConvCall {
  const Activations* in = nullptr;
  int in_first = 0;  ///< image
  Activations* out = nullptr;
  int out_first = 0;
  int images = 0;
  bool add = false;  ///< to what `out` holds, before the ReLU
  bool relu = false;
};

/// A convolution with bias, and with the sum and the ReLU that may follow it. Its bits depend neither on an
/// image's place and company nor on threads or instruction set. What is NaN or infinite stays so or becomes
/// NaN, and may take its whole 4x4 tile with it.
class Convolution {
 public:
  /// Transforms weights, once: `weight`: [out][in][kernel][kernel]; `bias`: [out]; `to`: prepared_size
  /// floats, up to 4 times as many. They are the same for all processes on a host, which may share them.
  /// Throws Error(internal) for other shapes.
  static std::size_t prepared_size(Isa isa, const ConvShape& shape);
  static void prepare(Isa isa, const ConvShape& shape, std::span<const float> weight,
                      std::span<const float> bias, std::span<float> to);
  /// Floats that each thread needs for a call, at most. Throws Error(internal) for other shapes.
  static std::size_t scratch(Isa isa, const ConvShape& shape, const ImageDims& out, int images);

  /// `prepared` must outlive it. The processor must have `isa`. Throws Error(internal) for other shapes.
  Convolution(Isa isa, const ConvShape& shape, std::span<const float> prepared);

  /// Dims must fit, and blocks must be those of `isa`. Throws std::bad_alloc where the workspace has not yet
  /// had room.
  void operator()(const ConvCall& call, Workspace& workspace) const;

 private:
  Isa isa_;
  ConvShape shape_;
  const float* prepared_;
};

/// Channels in a block of activations.
int block_of(Isa isa);

}  // namespace polyhead::kernels
