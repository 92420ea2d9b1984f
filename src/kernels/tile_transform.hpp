#pragma once

#include "apply.hpp"
#include "table.hpp"

/// Transforms between activations, tiles and products. Two passes: along columns into a small array, then
/// along rows.
namespace polyhead::kernels {

/// Sizes of a whole tile.
template <Scheme kScheme>
struct Sizes {
  static constexpr int kProducts = kSized<kScheme>[kTile].products;
  static constexpr int kInputs = kSized<kScheme>[kTile].inputs;
  static constexpr int kStep = kSized<kScheme>[kTile].step;
};

/// B^T on each of `columns` columns of a tile with kOutputs rows of results. to: [product][kInputs]
template <class Vec, Scheme kScheme, int kOutputs>
void columns_in(const float* in, std::ptrdiff_t row, int columns, typename Vec::V* to) {
  constexpr const Algorithm& kDown = kSized<kScheme>[kOutputs];
  using Size = Sizes<kScheme>;
  for (int x = 0; x < columns; ++x, in += Size::kStep * Vec::kWidth) {
    typename Vec::V values[kMaxInputs];
    typename Vec::V products[kMaxProducts];
    unroll<kDown.inputs>([&](auto y) __attribute__((always_inline)) {
      values[y] = Vec::load(in + y * Size::kStep * row);
    });
    transform_in<Vec, kScheme, kOutputs>(values, products);
    unroll<kDown.products>([&](auto p)
                               __attribute__((always_inline)) { to[p * Size::kInputs + x] = products[p]; });
  }
}

/// B^T on each row of columns_in's result; writes the products to their places.
template <class Vec, Scheme kScheme, int kOutputs>
void rows_in(const typename Vec::V* from, const Algorithm& rows, float* to, std::ptrdiff_t product) {
  constexpr const Algorithm& kAlong = kSized<kScheme>[kOutputs];
  using Size = Sizes<kScheme>;
  for (int y = 0; y < rows.products; ++y) {
    typename Vec::V products[kMaxProducts];
    transform_in<Vec, kScheme, kOutputs>(from + y * Size::kInputs, products);
    float* row = to + rows.id[y] * Size::kProducts * product;
    unroll<kAlong.products>([&](auto p) __attribute__((always_inline)) {
      Vec::store(row + kAlong.id[p] * product, products[p]);
    });
  }
}

template <class Vec, Scheme kScheme>
void tiles_in(const float* in, Strides strides, TileSpan tiles, int blocks, Planes to) {
  typename Vec::V half[Sizes<kScheme>::kProducts * Sizes<kScheme>::kInputs];
  for (int block = 0; block < blocks; ++block) {
    for (int t = 0; t < tiles.count; ++t) {
      const Tile& tile = tiles.tiles[t];
      const float* from = in + tile.in + block * strides.block;
      float* out = to.data + block * to.block + t * Vec::kWidth;
      with_count<kTile>(
          tile.rows, [&](auto count) __attribute__((always_inline)) {
            columns_in<Vec, kScheme, count>(from, strides.row, kSized<kScheme>[tile.columns].inputs, half);
          });
      with_count<kTile>(
          tile.columns, [&](auto count) __attribute__((always_inline)) {
            rows_in<Vec, kScheme, count>(half, kSized<kScheme>[tile.rows], out, to.product);
          });
    }
  }
}

/// A^T on each column of products, of a tile with kOutputs rows of results. to: [output][kProducts]
template <class Vec, Scheme kScheme, int kOutputs>
void columns_out(const float* from, std::ptrdiff_t product, const Algorithm& columns, typename Vec::V* to) {
  constexpr const Algorithm& kDown = kSized<kScheme>[kOutputs];
  using Size = Sizes<kScheme>;
  for (int x = 0; x < columns.products; ++x) {
    typename Vec::V products[kMaxProducts];
    typename Vec::V values[kTile];
    const float* column = from + columns.id[x] * product;
    unroll<kDown.products>([&](auto p) __attribute__((always_inline)) {
      products[p] = Vec::load(column + kDown.id[p] * Size::kProducts * product);
    });
    transform_out<Vec, kScheme, kOutputs>(products, values);
    unroll<kOutputs>([&](auto y) __attribute__((always_inline)) { to[y * Size::kProducts + x] = values[y]; });
  }
}

/// A ReLU that turns all values that are not finite into NaN: the sums may have overflowed with the wrong
/// sign.
template <class Vec>
[[gnu::always_inline]] inline typename Vec::V relu(typename Vec::V value) {
  return Vec::at_least(Vec::zero(), Vec::multiply_add(value, Vec::zero(), value));
}

/// A^T on each of `rows` rows of columns_out's result; bias, sum and ReLU.
template <class Vec, Scheme kScheme, int kOutputs>
void rows_out(typename Vec::V* from, int rows, float* out, std::ptrdiff_t row, typename Vec::V bias, bool add,
              bool rectify) {
  for (int y = 0; y < rows; ++y) {
    typename Vec::V values[kTile];
    transform_out<Vec, kScheme, kOutputs>(from + y * Sizes<kScheme>::kProducts, values);
    unroll<kOutputs>([&](auto x) __attribute__((always_inline)) {
      typename Vec::V value = values[x] + bias;
      float* to = out + y * row + x * Vec::kWidth;
      if (add) value = value + Vec::load(to);
      Vec::store(to, rectify ? relu<Vec>(value) : value);
    });
  }
}

template <class Vec, Scheme kScheme>
void tiles_out(Planes from, TileSpan tiles, int blocks, float* out, Strides strides, const Finish& finish) {
  typename Vec::V half[kTile * Sizes<kScheme>::kProducts];
  for (int block = 0; block < blocks; ++block) {
    const typename Vec::V bias = Vec::load(finish.bias + block * Vec::kWidth);
    for (int t = 0; t < tiles.count; ++t) {
      const Tile& tile = tiles.tiles[t];
      const float* products = from.data + block * from.block + t * Vec::kWidth;
      with_count<kTile>(
          tile.rows, [&](auto count) __attribute__((always_inline)) {
            columns_out<Vec, kScheme, count>(products, from.product, kSized<kScheme>[tile.columns], half);
          });
      with_count<kTile>(
          tile.columns, [&](auto count) __attribute__((always_inline)) {
            rows_out<Vec, kScheme, count>(half, tile.rows, out + tile.out + block * strides.block,
                                          strides.row, bias, finish.add, finish.relu);
          });
    }
  }
}

}  // namespace polyhead::kernels
