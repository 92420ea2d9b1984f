#include "polyhead/kernels/buffer.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

#include <sys/mman.h>

namespace polyhead::kernels {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20U;
constexpr std::size_t kPage = 4096;

}  // namespace

Buffer::Buffer(std::size_t size) : size_(size) {
  const std::size_t bytes = size * sizeof(float);
  const std::size_t unit = bytes >= kHugePage ? kHugePage : kPage;
  const std::size_t whole = (bytes / unit + 1) * unit;
  data_.reset(static_cast<float*>(std::aligned_alloc(unit, whole)));
  if (!data_) throw std::bad_alloc();
  // Advice only: small pages do as well.
  if (unit == kHugePage) static_cast<void>(madvise(data_.get(), whole, MADV_HUGEPAGE));
  std::memset(data_.get(), 0, whole);
}

void Buffer::Free::operator()(float* memory) const {
  std::free(memory);
}

void Buffer::at_least(std::size_t size) {
  if (size > size_) *this = Buffer(size);
}

}  // namespace polyhead::kernels
