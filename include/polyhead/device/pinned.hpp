#pragma once

#include <memory_resource>

namespace polyhead::device {

/// Host memory that GPU `index` copies from and to at full speed and while it computes (page-locked,
/// cudaHostAlloc). Whoever allocates has that GPU selected from then on: on another one CUDA would open a
/// context for nothing. Ordinary memory where there is no GPU. Lives as long as the program. Throws
/// std::bad_alloc where the host has too little memory, Error(unavailable) where the GPU is busy or broken.
std::pmr::memory_resource* pinned_memory(int index);

/// Memory of any host, aligned to 256 bytes. Lives as long as the program. Throws std::bad_alloc.
std::pmr::memory_resource* ordinary_memory();

}  // namespace polyhead::device
