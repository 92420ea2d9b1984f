#include "polyhead/kernels/stem.hpp"

#include <vector>

#include "table.hpp"

namespace polyhead::kernels {
namespace {

constexpr int kColours = 3;
constexpr int kTaps = 7;
constexpr int kPad = 3;
constexpr int kPairTaps = 4;
constexpr int kPairChannels = 4 * kColours;

int halved(int pixels) {
  return (pixels - 1) / 2 + 1;
}

int channel_of(int row_phase, int column_phase, int colour) {
  return (row_phase * 2 + column_phase) * kColours + colour;
}

/// [out][3][7][7] to [out][12][4][4].
std::vector<float> paired(int out, std::span<const float> weight) {
  std::vector<float> made(static_cast<std::size_t>(out) * kPairChannels * kPairTaps * kPairTaps);
  std::size_t from = 0;
  for (int k = 0; k < out; ++k) {
    for (int colour = 0; colour < kColours; ++colour) {
      for (int y = 0; y < kTaps; ++y) {
        for (int x = 0; x < kTaps; ++x) {
          const int channel = k * kPairChannels + channel_of(y % 2, x % 2, colour);
          made[static_cast<std::size_t>((channel * kPairTaps + y / 2) * kPairTaps + x / 2)] = weight[from++];
        }
      }
    }
  }
  return made;
}

/// Pair row `y` of an image: pixel rows 2 y - 3 and 2 y - 2, and pairs of pixels along them. What lies
/// outside the image stays zero.
void fill_pair_row(const float* pixels, int height, int width, int y, float* to, int block) {
  for (int row_phase = 0; row_phase < 2; ++row_phase) {
    const int row = 2 * y - kPad + row_phase;
    if (row < 0 || row >= height) continue;
    for (int colour = 0; colour < kColours; ++colour) {
      const float* from = pixels + (std::ptrdiff_t{colour} * height + row) * width;
      for (int column_phase = 0; column_phase < 2; ++column_phase) {
        float* channel = to + channel_of(row_phase, column_phase, colour);
        const int end = (width + kPad - column_phase + 1) / 2;
        for (int x = (kPad - column_phase + 1) / 2; x < end; ++x) {
          channel[x * block] = from[2 * x - kPad + column_phase];
        }
      }
    }
  }
}

/// The 3x3 maximum of stride 2. `from` holds what a ReLU gave, so that its border of zeros changes nothing.
void pool(const Kernels& kernels, const Activations& from, int images, Activations& to, int first,
          Workspace& workspace) {
  const int blocks = from.blocks();
  workspace.team().run(images * blocks, [&](int item, int /*thread*/) {
    const int image = item / blocks;
    const int block = item % blocks;
    for (int y = 0; y < to.dims().height; ++y) {
      kernels.pool_row(
          from.data() + block * from.block_stride() + from.offset(image, 2 * y - 1, -1), from.row_stride(),
          to.data() + block * to.block_stride() + to.offset(first + image, y, 0), to.dims().width);
    }
  });
}

}  // namespace

Stem::Stem(Isa isa, int out, std::span<const float> weight, std::span<const float> bias)
    : isa_(isa), convolution_(isa, {kPairChannels, out, kPairTaps, 1}, paired(out, weight), bias) {}

Stem::Memory::Memory(const Stem& stem, int images, int image_height, int image_width)
    : height(image_height),
      width(image_width),
      pairs(images, {kPairChannels, halved(height) + kPairTaps - 1, halved(width) + kPairTaps - 1},
            block_of(stem.isa_)),
      convolved(images, stem.convolution_.output(pairs.dims()), block_of(stem.isa_)) {}

ImageDims Stem::output(int height, int width) const {
  const ImageDims out =
      convolution_.output({kPairChannels, halved(height) + kPairTaps - 1, halved(width) + kPairTaps - 1});
  return {out.channels, halved(out.height), halved(out.width)};
}

void Stem::operator()(const float* pixels, int images, Activations& out, int first, Memory& memory,
                      Workspace& workspace) const {
  Activations& pairs = memory.pairs;
  const std::ptrdiff_t image_size = std::ptrdiff_t{kColours} * memory.height * memory.width;
  const int rows = pairs.dims().height;
  workspace.team().run(images * rows, [&](int item, int /*thread*/) {
    const int image = item / rows;
    fill_pair_row(pixels + image * image_size, memory.height, memory.width, item % rows,
                  pairs.data() + pairs.offset(image, item % rows, 0), pairs.block());
  });
  ConvCall call;
  call.in = &pairs;
  call.out = &memory.convolved;
  call.images = images;
  call.relu = true;
  convolution_(call, workspace);
  pool(*kernels_of(isa_), memory.convolved, images, out, first, workspace);
}

}  // namespace polyhead::kernels
