#include "polyhead/kernels/stem.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "table.hpp"

namespace polyhead::kernels {
namespace {

constexpr int kColours = 3;
constexpr int kTaps = 7;
constexpr int kPad = 3;
constexpr int kPairTaps = 4;
constexpr int kPairChannels = 4 * kColours;
constexpr int kBandRows = 8;  ///< of the convolution; even, so that bands share one row only

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

/// Copies row `from` of each plane of the only image to row `to`, or fills it with zeros where `from` is
/// empty.
void set_row(Activations& image, std::optional<int> from, int to) {
  for (int block = 0; block < image.blocks(); ++block) {
    float* plane = image.data() + block * image.block_stride();
    float* row = plane + image.offset(0, to, -1);
    if (from) {
      std::copy_n(plane + image.offset(0, *from, -1), image.row_stride(), row);
    } else {
      std::fill_n(row, image.row_stride(), 0.0F);
    }
  }
}

/// Pair row `y` of an image, into row `to`: pixel rows 2 y - 3 and 2 y - 2, and pairs of pixels along them.
/// What lies outside the image is zero.
void fill_pair_row(const float* pixels, int height, int width, int y, Activations& pairs, int to) {
  set_row(pairs, std::nullopt, to);
  for (int row_phase = 0; row_phase < 2; ++row_phase) {
    const int row = 2 * y - kPad + row_phase;
    if (row < 0 || row >= height) continue;
    for (int colour = 0; colour < kColours; ++colour) {
      const float* from = pixels + (std::ptrdiff_t{colour} * height + row) * width;
      for (int column_phase = 0; column_phase < 2; ++column_phase) {
        const int channel = channel_of(row_phase, column_phase, colour);
        float* values = pairs.data() + pairs.offset(0, to, 0) +
                        channel / pairs.block() * pairs.block_stride() + channel % pairs.block();
        const int end = (width + kPad - column_phase + 1) / 2;
        for (int x = (kPad - column_phase + 1) / 2; x < end; ++x) {
          values[x * pairs.block()] = from[2 * x - kPad + column_phase];
        }
      }
    }
  }
}

}  // namespace

ConvShape Stem::paired_shape(int out) {
  return {kPairChannels, out, kPairTaps, 1};
}

std::size_t Stem::prepared_size(Isa isa, int out) {
  return Convolution::prepared_size(isa, paired_shape(out));
}

void Stem::prepare(Isa isa, int out, std::span<const float> weight, std::span<const float> bias,
                   std::span<float> to) {
  Convolution::prepare(isa, paired_shape(out), paired(out, weight), bias, to);
}

Stem::Stem(Isa isa, int out, std::span<const float> prepared)
    : isa_(isa), channels_(out), convolution_(isa, paired_shape(out), prepared) {}

Stem::Memory::Memory(const Stem& stem, int image_height, int image_width, int threads)
    : height(image_height), width(image_width) {
  const int block = block_of(stem.isa_);
  const ImageDims pairs{kPairChannels, kBandRows + kPairTaps - 1, halved(width) + kPairTaps - 1};
  for (int thread = 0; thread < threads; ++thread) {
    bands.push_back({Activations(1, pairs, block), Activations(1, stem.convolution_.output(pairs), block)});
  }
}

ImageDims Stem::output(int height, int width) const {
  return {channels_, halved(halved(height)), halved(halved(width))};
}

struct Stem::Job {
  const float* pixels;
  Activations& out;
  int first;
  Memory& memory;
  Workspace& workspace;
};

/// Rows band x kBandRows and on of the convolution, and the rows that the maximum makes of them and of the
/// row before, which the band before has left.
void Stem::compute_band(const Job& job, int image, int band, bool pooled, int thread) const {
  const Memory& memory = job.memory;
  Band& mine = job.memory.bands[static_cast<std::size_t>(thread)];
  const float* pixels = job.pixels + std::ptrdiff_t{image} * kColours * memory.height * memory.width;
  const int first_row = band * kBandRows;
  for (int y = 0; y < mine.pairs.dims().height; ++y) {
    fill_pair_row(pixels, memory.height, memory.width, first_row + y, mine.pairs, y);
  }
  set_row(mine.convolved, band == 0 ? std::nullopt : std::optional(kBandRows - 1), -1);
  ConvCall call;
  call.in = &mine.pairs;
  call.out = &mine.convolved;
  call.images = 1;
  call.relu = true;
  convolution_.alone(call, job.workspace.scratch(thread));
  const int below = halved(memory.height) - first_row;  // the first row that the image does not have
  if (below < kBandRows) set_row(mine.convolved, std::nullopt, below);
  const int end = std::min(job.out.dims().height, (first_row + kBandRows) / 2);
  for (int y = first_row / 2; y < end && pooled; ++y) {
    for (int block = 0; block < job.out.blocks(); ++block) {
      kernels_of(isa_)->pool_row(
          mine.convolved.data() + block * mine.convolved.block_stride() +
              mine.convolved.offset(0, 2 * y - first_row - 1, -1),
          mine.convolved.row_stride(),
          job.out.data() + block * job.out.block_stride() + job.out.offset(job.first + image, y, 0),
          job.out.dims().width);
    }
  }
}

/// A thread takes an image, or a part of one where images are fewer than threads.
void Stem::operator()(const float* pixels, int images, Activations& out, int first, Memory& memory,
                      Workspace& workspace) const {
  const int bands = (halved(memory.height) + kBandRows - 1) / kBandRows;
  const int parts = std::min(bands, (workspace.team().threads() + images - 1) / images);
  ConvCall example;
  example.in = &memory.bands.front().pairs;
  example.out = &memory.bands.front().convolved;
  example.images = 1;
  convolution_.reserve(example, workspace);
  const Job job{pixels, out, first, memory, workspace};
  workspace.team().run(images * parts, [&](int item, int thread) {
    const int part = item % parts;
    const int begin = bands * part / parts;
    if (begin > 0) compute_band(job, item / parts, begin - 1, false, thread);  // for its last row
    for (int band = begin; band < bands * (part + 1) / parts; ++band) {
      compute_band(job, item / parts, band, true, thread);
    }
  });
}

}  // namespace polyhead::kernels
