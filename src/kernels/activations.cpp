#include "polyhead/kernels/activations.hpp"

namespace polyhead::kernels {
namespace {

/// Calls visit(place in planar order, place in the blocked buffer) for each value.
template <class Visit>
void for_each_value(const Activations& blocked, Visit visit) {
  const ImageDims& dims = blocked.dims();
  std::size_t planar = 0;
  for (int image = 0; image < blocked.images(); ++image) {
    for (int channel = 0; channel < dims.channels; ++channel) {
      const std::ptrdiff_t plane =
          channel / blocked.block() * blocked.block_stride() + channel % blocked.block();
      for (int y = 0; y < dims.height; ++y) {
        for (int x = 0; x < dims.width; ++x) visit(planar++, plane + blocked.offset(image, y, x));
      }
    }
  }
}

}  // namespace

Activations::Activations(int images, const ImageDims& dims, int block)
    : images_(images),
      dims_(dims),
      block_(block),
      buffer_(static_cast<std::size_t>(images) * image_size(dims, block)) {}

std::size_t Activations::image_size(const ImageDims& dims, int block) {
  const int channels = (dims.channels + block - 1) / block * block;
  return static_cast<std::size_t>(channels) * static_cast<std::size_t>((dims.height + 2) * (dims.width + 2));
}

void Activations::assign(std::span<const float> planar) {
  for_each_value(*this, [&](std::size_t from, std::ptrdiff_t to) { data()[to] = planar[from]; });
}

void Activations::copy_to(std::span<float> planar) const {
  for_each_value(*this, [&](std::size_t to, std::ptrdiff_t from) { planar[to] = data()[from]; });
}

}  // namespace polyhead::kernels
