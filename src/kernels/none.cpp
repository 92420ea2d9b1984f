#include "table.hpp"

// Twin of x86.cpp for other processors.
namespace polyhead::kernels {

const Kernels* kernels_of(Isa /*isa*/) {
  return nullptr;
}

}  // namespace polyhead::kernels
