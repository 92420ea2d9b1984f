#include <algorithm>
#include <new>

#include "polyhead/base/aligned.hpp"
#include "polyhead/device/pinned.hpp"

namespace polyhead::device {
namespace {

/// Memory aligned as kernels need it.
class AlignedMemory : public std::pmr::memory_resource {
 private:
  static std::align_val_t aligned(std::size_t alignment) {
    return std::align_val_t{std::max(alignment, kAlignment)};
  }
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    return ::operator new(bytes, aligned(alignment));
  }
  void do_deallocate(void* memory, std::size_t /*bytes*/, std::size_t alignment) override {
    ::operator delete(memory, aligned(alignment));
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }
};

}  // namespace

std::pmr::memory_resource* ordinary_memory() {
  static AlignedMemory memory;
  return &memory;
}

}  // namespace polyhead::device
