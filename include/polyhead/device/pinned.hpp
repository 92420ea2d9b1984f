#pragma once

#include <memory_resource>

namespace polyhead::device {

/// Page-locked host memory (cudaHostAlloc), which GPU `index` copies from and to at full speed and while it
/// computes. Allocating selects that GPU for the calling thread: on another one CUDA would open a needless
/// context. Ordinary memory where there is no GPU. Lives as long as the program. Throws std::bad_alloc where
/// the host has too little memory, Error(unavailable) where the GPU is busy or broken.
std::pmr::memory_resource* pinned_memory(int index);

/// Ordinary host memory, aligned to 256 bytes. Lives as long as the program. Throws std::bad_alloc.
std::pmr::memory_resource* ordinary_memory();

}  // namespace polyhead::device
