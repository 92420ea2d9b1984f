#include "make_kernels.hpp"
#include "vec_avx2.hpp"

// Compiled for this instruction set (src/CMakeLists.txt); called only where the processor has it.
namespace polyhead::kernels {

extern const Kernels kAvx2Kernels;
constexpr Kernels kAvx2Kernels = make_kernels<Avx2>(Isa::avx2);

}  // namespace polyhead::kernels
