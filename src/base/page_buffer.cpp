#include "polyhead/base/page_buffer.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

#include <sys/mman.h>

namespace polyhead {
namespace {

constexpr std::size_t kPage = 4096;

std::size_t unit_of(std::size_t size) {
  return size * sizeof(float) >= PageBuffer::kMaxUnit ? PageBuffer::kMaxUnit : kPage;
}

}  // namespace

std::size_t PageBuffer::bytes_of(std::size_t size) {
  const std::size_t unit = unit_of(size);
  return (size * sizeof(float) / unit + 1) * unit;
}

PageBuffer::PageBuffer(std::size_t size) : size_(size) {
  const std::size_t unit = unit_of(size);
  const std::size_t whole = bytes_of(size);
  data_.reset(static_cast<float*>(std::aligned_alloc(unit, whole)));
  if (!data_) throw std::bad_alloc();
  // Advice only: small pages also work.
  if (unit == kMaxUnit) static_cast<void>(madvise(data_.get(), whole, MADV_HUGEPAGE));
  std::memset(data_.get(), 0, whole);
}

void PageBuffer::Free::operator()(float* memory) const {
  std::free(memory);
}

void PageBuffer::at_least(std::size_t size) {
  if (size > size_) *this = PageBuffer(size);
}

}  // namespace polyhead
