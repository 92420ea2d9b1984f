#pragma once

#include <cstddef>
#include <vector>

namespace polyhead::image {

/// Buffers of a reading thread that are larger are given back after each sample.
inline constexpr std::size_t kKeptBuffer = std::size_t{4} << 20U;

/// At least `size` elements, of which any content is lost: old and new memory are never held at once.
template <class T>
void make_room(std::vector<T>& buffer, std::size_t size) {
  if (buffer.size() >= size) return;
  std::vector<T>().swap(buffer);  // `= {}` would keep the memory
  buffer.resize(size);
}

/// Gives an unusually large buffer back; whether it was one.
template <class T>
bool trim(std::vector<T>& buffer) {
  if (buffer.capacity() * sizeof(T) <= kKeptBuffer) return false;
  std::vector<T>().swap(buffer);
  return true;
}

}  // namespace polyhead::image
