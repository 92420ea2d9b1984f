#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace polyhead {

/// Alignment in bytes of every buffer that a kernel reads. Libraries choose kernels, and so bits, by the
/// alignment of their buffers; cuBLAS looks at up to 256 bytes.
inline constexpr std::size_t kAlignment = 256;

/// Allocator behind `AlignedVector`.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) noexcept {
  }  // NOLINT(google-explicit-constructor): allocators convert

  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{kAlignment}));
  }
  void deallocate(T* memory, std::size_t /*count*/) noexcept {
    ::operator delete (memory, std::align_val_t{kAlignment});
  }
  friend bool operator==(const AlignedAllocator&, const AlignedAllocator&) { return true; }
};

/// A vector whose storage is aligned to `kAlignment` bytes.
template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

/// Frees what it holds: `= {}` would keep the memory.
template <class T>
void give_back(AlignedVector<T>& values) {
  AlignedVector<T>().swap(values);
}

}  // namespace polyhead
