#include "polyhead/kernels/stem.hpp"

#include <algorithm>
#include <vector>

#include "table.hpp"

namespace polyhead::kernels {
namespace {

constexpr int kColours = 3;
constexpr int kTaps = 7;
constexpr int kPad = 3;
constexpr int kPairTaps = 4;
constexpr int kPairChannels = 4 * kColours;
constexpr int kBandRows = 8;  ///< rows of the convolution per band; even, so that bands share one row only

int halved(int pixels) {
  return (pixels - 1) / 2 + 1;
}

/// Convolution that computes the stem.
ConvShape paired_shape(int out) {
  return {kPairChannels, out, kPairTaps, 1};
}

/// Dimensions of a band.
ImageDims pairs_dims(int width) {
  return {kPairChannels, kBandRows + kPairTaps - 1, halved(width) + kPairTaps - 1};
}
ImageDims convolved_dims(int out, int width) {
  return {out, kBandRows, halved(width)};
}
std::size_t band_scratch(Isa isa, int out, int width) {
  return Convolution::scratch(isa, paired_shape(out), convolved_dims(out, width), 1);
}

/// Weights [out][3][7][7] in the form [out][12][4][4].
std::vector<float> paired(int out, std::span<const float> weight) {
  std::vector<float> made(static_cast<std::size_t>(out) * kPairChannels * kPairTaps * kPairTaps);
  std::size_t from = 0;
  for (int k = 0; k < out; ++k) {
    for (int colour = 0; colour < kColours; ++colour) {
      for (int y = 0; y < kTaps; ++y) {
        for (int x = 0; x < kTaps; ++x) {
          const int channel = k * kPairChannels + (y % 2 * 2 + x % 2) * kColours + colour;
          const int place = (channel * kPairTaps + y / 2) * kPairTaps + x / 2;
          made[static_cast<std::size_t>(place)] = weight[from++];
        }
      }
    }
  }
  return made;
}

/// Copies a row of each plane of the only image. The border is zeros.
void copy_row(Activations& image, int from, int to) {
  for (int block = 0; block < image.blocks(); ++block) {
    std::copy_n(image.at(block, 0, from, -1), image.row_stride(), image.at(block, 0, to, -1));
  }
}

/// Fills row `to` with pair row `y` of an image: pixel rows 2 y - 3 and 2 y - 2, and pairs of pixels along
/// them. Pixels outside the image are zero.
void fill_pair_row(const float* pixels, const ImageDims& image, int y, Activations& pairs, int to) {
  copy_row(pairs, -1, to);
  for (int channel = 0; channel < kPairChannels; ++channel) {
    const int row = 2 * y - kPad + channel / kColours / 2;
    const int column_phase = channel / kColours % 2;
    if (row < 0 || row >= image.height) continue;
    const float* from = pixels + (std::ptrdiff_t{channel % kColours} * image.height + row) * image.width;
    float* values = pairs.at(channel / pairs.block(), 0, to, 0) + channel % pairs.block();
    const int end = (image.width + kPad - column_phase + 1) / 2;
    for (int x = (kPad - column_phase + 1) / 2; x < end; ++x) {
      values[std::ptrdiff_t{x} * pairs.block()] = from[2 * x - kPad + column_phase];
    }
  }
}

/// Pools with the 3x3 maximum, as far as a band has rows for it.
void pool(const Kernels& kernels, int number, const Activations& convolved, Activations& out, int image) {
  const int first = number * kBandRows;
  const int end = std::min(out.dims().height, (first + kBandRows) / 2);
  for (int y = first / 2; y < end; ++y) {
    for (int block = 0; block < out.blocks(); ++block) {
      kernels.pool_row(convolved.at(block, 0, 2 * y - first - 1, -1), convolved.row_stride(),
                       out.at(block, image, y, 0), out.dims().width);
    }
  }
}

}  // namespace

std::size_t Stem::prepared_size(Isa isa, int out) {
  return Convolution::prepared_size(isa, paired_shape(out));
}

void Stem::prepare(Isa isa, int out, std::span<const float> weight, std::span<const float> bias,
                   std::span<float> to) {
  Convolution::prepare(isa, paired_shape(out), paired(out, weight), bias, to);
}

Stem::Stem(Isa isa, int out, std::span<const float> prepared)
    : isa_(isa), channels_(out), convolution_(isa, paired_shape(out), prepared) {}

ImageDims Stem::output(int out, int height, int width) {
  return {out, halved(halved(height)), halved(halved(width))};
}

std::size_t Stem::band_bytes(Isa isa, int out, int width) {
  return PageBuffer::bytes_of(band_scratch(isa, out, width)) +
         PageBuffer::bytes_of(Activations::image_size(pairs_dims(width), block_of(isa))) +
         PageBuffer::bytes_of(Activations::image_size(convolved_dims(out, width), block_of(isa)));
}

Stem::Band::Band(const Stem& stem, int width)
    : pairs(1, pairs_dims(width), block_of(stem.isa_)),
      convolved(1, convolved_dims(stem.channels_, width), block_of(stem.isa_)) {
  workspace.reserve(band_scratch(stem.isa_, stem.channels_, width));
}

Stem::Memory::Memory(const Stem& stem, int height, int width, int threads) : image{kColours, height, width} {
  for (int thread = 0; thread < threads; ++thread) bands.emplace_back(stem, width);
}

/// Computes the convolution's rows from number x kBandRows on. The row before them is the last row of the
/// previous band.
void Stem::convolve(const float* pixels, const ImageDims& image, int number, Band& band) const {
  const int first = number * kBandRows;
  for (int y = 0; y < band.pairs.dims().height; ++y) fill_pair_row(pixels, image, first + y, band.pairs, y);
  copy_row(band.convolved, number == 0 ? kBandRows : kBandRows - 1, -1);
  convolution_({&band.pairs, 0, &band.convolved, 0, 1, false, true}, band.workspace);
  const int below = halved(image.height) - first;  // first row that the image does not have
  if (below < kBandRows) copy_row(band.convolved, kBandRows, below);
}

/// Runs the stem. A thread takes an image, or a part of one where images are fewer than threads.
void Stem::operator()(const float* pixels, int images, Activations& out, int first, Memory& memory,
                      Team& team) const {
  const ImageDims& dims = memory.image;
  const std::ptrdiff_t image_size = std::ptrdiff_t{kColours} * dims.height * dims.width;
  const int bands = (halved(dims.height) + kBandRows - 1) / kBandRows;
  const int parts = std::min(bands, (team.threads() + images - 1) / images);
  team.run(images * parts, [&](int item, int thread) {
    Band& band = memory.bands[static_cast<std::size_t>(thread)];
    const int image = item / parts;
    const int begin = bands * (item % parts) / parts;
    const int end = bands * (item % parts + 1) / parts;
    for (int number = std::max(0, begin - 1); number < end; ++number) {  // one before, for its last row
      convolve(pixels + image * image_size, dims, number, band);
      if (number >= begin) pool(*kernels_of(isa_), number, band.convolved, out, first + image);
    }
  });
}

}  // namespace polyhead::kernels
