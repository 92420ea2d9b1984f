#pragma once

#include <cstddef>
#include <vector>

namespace polyhead::image {

/// Bytes of the largest buffer that a reading thread keeps; larger ones are freed after each sample.
inline constexpr std::size_t kKeptBuffer = std::size_t{4} << 20U;

/// Resizes to at least `size` elements; the content is lost. Old and new memory are never held at once.
template <class T>
void make_room(std::vector<T>& buffer, std::size_t size) {
  if (buffer.size() >= size) return;
  std::vector<T>().swap(buffer);  // `= {}` would keep the memory
  buffer.resize(size);
}

/// Frees an unusually large buffer. Returns whether it was one.
template <class T>
bool trim(std::vector<T>& buffer) {
  if (buffer.capacity() * sizeof(T) <= kKeptBuffer) return false;
  std::vector<T>().swap(buffer);
  return true;
}

}  // namespace polyhead::image
