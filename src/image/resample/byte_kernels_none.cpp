#include "byte_kernels.hpp"

// Twin of the vector kernels for processors other than x86-64.
namespace polyhead::image {

const ByteKernels* avx2_kernels() {
  return nullptr;
}

const ByteKernels* avx512_kernels() {
  return nullptr;
}

}  // namespace polyhead::image
