#include "table.hpp"

namespace polyhead::kernels {

extern const Kernels kAvx2Kernels;    // avx2.cpp
extern const Kernels kAvx512Kernels;  // avx512.cpp

const Kernels* kernels_of(Isa isa) {
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::avx2) return avx2 ? &kAvx2Kernels : nullptr;
  return avx2 && __builtin_cpu_supports("avx512f") ? &kAvx512Kernels : nullptr;
}

}  // namespace polyhead::kernels
