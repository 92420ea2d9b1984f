#include "make_kernels.hpp"
#include "vec_avx512.hpp"

// Compiled for this instruction set (src/CMakeLists.txt); called only where the processor has it.
namespace polyhead::kernels {

extern const Kernels kAvx512Kernels;
constexpr Kernels kAvx512Kernels = make_kernels<Avx512>(Isa::avx512);

}  // namespace polyhead::kernels
