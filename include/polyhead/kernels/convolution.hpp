#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "polyhead/kernels/activations.hpp"
#include "polyhead/kernels/isa.hpp"
#include "polyhead/kernels/workspace.hpp"

namespace polyhead::kernels {

/// A square convolution. One of 1x1 or 3x3, stride 1 or 2, is padded by kernel / 2; one of 4x4, stride 1, is
/// not padded (see stem.hpp).
struct ConvShape {
  int in = 0;  ///< channels
  int out = 0;
  int kernel = 1;
  int stride = 1;
};

/// What a convolution reads and writes; each is a place in a batch. `residual` may be the output's own place.
struct ConvCall {
  const Activations* in = nullptr;
  int in_first = 0;  ///< image
  Activations* out = nullptr;
  int out_first = 0;
  const Activations* residual = nullptr;  ///< added before the ReLU; null: none
  int residual_first = 0;
  int images = 0;
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

  /// `prepared` must outlive it. The processor must have `isa`. Throws Error(internal) for other shapes.
  Convolution(Isa isa, const ConvShape& shape, std::span<const float> prepared);
  ~Convolution();
  Convolution(Convolution&&) noexcept;

  [[nodiscard]] ImageDims output(const ImageDims& in) const;
  /// Dims must fit, and blocks must be those of `isa`. Throws Error(internal), std::bad_alloc.
  void operator()(const ConvCall& call, Workspace& workspace) const;

  /// The same on the calling thread alone, from inside a task of the workspace's team; `reserve` must have
  /// made room for such a call before.
  void reserve(const ConvCall& call, Workspace& workspace) const;
  void alone(const ConvCall& call, Workspace::Scratch& scratch) const;

 private:
  struct Body;
  std::unique_ptr<const Body> body_;
};

/// A thread's scratch for a convolution.
struct ConvFootprint {
  std::size_t inputs = 0;  ///< floats, at most
  std::size_t sums = 0;
};
/// `tiles`: of 4x4 results that a call computes. Throws Error(internal) where there is no kernel for it.
ConvFootprint footprint(Isa isa, const ConvShape& shape, int tiles);

/// Channels in a block of activations.
int block_of(Isa isa);

}  // namespace polyhead::kernels
