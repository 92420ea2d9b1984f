#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "layers.hpp"
#include "polyhead/kernels/buffer.hpp"
#include "polyhead/kernels/resnet.hpp"

namespace polyhead::kernels {
namespace {

int side(int pixels, int stride) {
  return (pixels - 1) / stride + 1;
}

ImageDims output(const ConvShape& conv, const ImageDims& in) {
  return {conv.out, side(in.height, conv.stride), side(in.width, conv.stride)};
}

/// Adds up a network as `ResNet` and `ResNet::Memory` make it.
class Count {
 public:
  Count(Isa isa, int batch, int threads) : isa_(isa), batch_(batch), threads_(threads) {}

  void convolution(const ConvShape& shape, const ImageDims& out) {
    const int images = whole_batch(out) ? batch_ : most_together(threads_);
    const ConvFootprint conv =
        footprint(isa_, shape, images * ((out.height + 3) / 4) * ((out.width + 3) / 4));
    inputs_ = std::max(inputs_, conv.inputs);
    sums_ = std::max(sums_, conv.sums);
  }

  /// Activations of these dims, of which a block needs `count` at a time.
  void activations(const ImageDims& dims, int count) {
    const auto known = std::ranges::find(kept_, dims, &std::pair<ImageDims, int>::first);
    if (known == kept_.end()) {
      kept_.emplace_back(dims, count);
    } else {
      known->second = std::max(known->second, count);
    }
  }

  ResNetFootprint total() {
    const auto threads = static_cast<std::size_t>(threads_);
    made_.fixed += threads * (Buffer::bytes_of(inputs_) + Buffer::bytes_of(sums_));
    for (const auto& [dims, count] : kept_) {
      const auto buffers = static_cast<std::size_t>(count);
      if (whole_batch(dims)) {
        made_.image += buffers * floats_of(dims) * sizeof(float);
        made_.fixed += buffers * Buffer::kLargestUnit;
      } else {
        const auto images = static_cast<std::size_t>(most_together(threads_));
        made_.fixed += buffers * Buffer::bytes_of(images * floats_of(dims));
      }
    }
    return made_;
  }

 private:
  [[nodiscard]] std::size_t floats_of(const ImageDims& dims) const {
    const int block = block_of(isa_);
    const int blocks = (dims.channels + block - 1) / block;
    return static_cast<std::size_t>(blocks * block) *
           static_cast<std::size_t>((dims.height + 2) * (dims.width + 2));
  }

  Isa isa_;
  int batch_;
  int threads_;
  ResNetFootprint made_;
  std::size_t inputs_ = 0;
  std::size_t sums_ = 0;
  std::vector<std::pair<ImageDims, int>> kept_;
};

}  // namespace

ResNetFootprint footprint(Isa isa, const ResNetWeights& weights, int batch, int height, int width,
                          int threads) {
  Count count(isa, batch, threads);
  const int channels = weights.stem.shape.out;
  count.convolution(Stem::paired_shape(channels), {channels, side(height, 2), side(width, 2)});
  ImageDims at{channels, side(side(height, 2), 2), side(side(width, 2), 2)};
  count.activations(at, 1);
  for (const BlockWeights& block : weights.blocks) {
    const ImageDims in = at;
    std::vector<ImageDims> used{in};  // the sum, and what the convolutions between make
    if (block.downsample) {
      used.push_back(output(block.downsample->shape, in));
      count.convolution(block.downsample->shape, used.back());
    }
    for (const ConvWeights& conv : block.convs) {
      at = output(conv.shape, at);
      count.convolution(conv.shape, at);
      if (&conv != &block.convs.back()) used.push_back(at);
    }
    for (const ImageDims& dims : used) {
      count.activations(dims, static_cast<int>(std::ranges::count(used, dims)));
    }
  }
  ResNetFootprint made = count.total();
  made.weights = Buffer::bytes_of(ResNet::prepared_size(isa, weights));
  return made;
}

}  // namespace polyhead::kernels
