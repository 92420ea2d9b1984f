#pragma once

#include <array>
#include <cstddef>

#include "algorithm.hpp"
#include "polyhead/kernels/isa.hpp"
#include "polyhead/kernels/linear.hpp"

namespace polyhead::kernels {

/// Distances in floats inside an activation.
struct Strides {
  std::ptrdiff_t block = 0;  ///< distance between blocks of channels
  std::ptrdiff_t row = 0;
};

/// At most 4x4 outputs and their source: offsets in floats of the first pixel.
struct Tile {
  std::ptrdiff_t in = 0;
  std::ptrdiff_t out = 0;
  int rows = kTile;
  int columns = kTile;
};

/// Tiles that are computed together.
struct TileSpan {
  const Tile* tiles = nullptr;
  int count = 0;
};

/// Layout of transformed tiles: [product][block of channels][tile][width].
struct Planes {
  float* data = nullptr;
  std::ptrdiff_t product = 0;  ///< floats between products
  std::ptrdiff_t block = 0;    ///< floats between blocks of channels
};

/// Operations on a sum of products before it is stored.
struct Finish {
  const float* bias = nullptr;
  bool add = false;  ///< whether to add to the values that are there
  bool relu = false;
};

inline constexpr int kLine = 16;  ///< floats in a cache line

/// Tiles x channels in times channels in x two vectors of channels out, for one product. The weights of the
/// next one begin at the end of these.
struct Gemm {
  const float* tiles = nullptr;    ///< first tile; [block][tile][width]
  const float* weights = nullptr;  ///< [channel in][2 width]
  float* sums = nullptr;           ///< [2 blocks][tile][width]
  std::ptrdiff_t block = 0;        ///< floats between blocks of tiles and of sums
  int channels = 0;
  int count = 0;  ///< number of tiles
};

/// Inner loops for one instruction set. They call nothing outside themselves and keep no state.
struct Kernels {
  int width;  ///< floats per vector, channels per block
  int rows;   ///< most tiles per strip of the product

  using TransformIn = void (*)(const float* in, Strides strides, TileSpan tiles, int blocks, Planes to);
  using TransformOut = void (*)(Planes from, TileSpan tiles, int blocks, float* out, Strides strides,
                                const Finish& finish);
  std::array<TransformIn, kSchemes> transform_in;
  std::array<TransformOut, kSchemes> transform_out;
  void (*multiply)(const Gemm& gemm);
  /// Computes `count` rows of the weights from `first` on, for the samples of one panel.
  void (*linear_rows)(const LinearCall& call, int first, int count, int panel);
  /// 3x3 maximum of stride 2 over rows of values >= 0 or NaN, which wins; a border of zeros stands around.
  void (*pool_row)(const float* in, std::ptrdiff_t row, float* out, int columns);
};

/// Kernels of an instruction set; null where this processor cannot run them.
const Kernels* kernels_of(Isa isa);
/// `kernels_of`, but throws Error(internal) instead of returning null.
const Kernels& checked_kernels(Isa isa);

}  // namespace polyhead::kernels
