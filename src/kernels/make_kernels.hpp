#pragma once

#include "gemm.hpp"
#include "linear_rows.hpp"
#include "pool.hpp"
#include "tile_transform.hpp"

namespace polyhead::kernels {

template <class Vec>
constexpr Kernels make_kernels() {
  Kernels made{};
  made.width = Vec::kWidth;
  made.rows = Vec::kRows;
  unroll<kSchemes>([&](auto scheme) {
    made.transform_in[scheme] = tiles_in<Vec, Scheme{static_cast<int>(scheme)}>;
    made.transform_out[scheme] = tiles_out<Vec, Scheme{static_cast<int>(scheme)}>;
  });
  made.multiply = multiply<Vec>;
  made.linear_rows = linear_rows<Vec>;
  made.pool_row = pool_row<Vec>;
  return made;
}

}  // namespace polyhead::kernels
