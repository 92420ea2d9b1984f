#include "polyhead/kernels/resnet.hpp"

#include <algorithm>
#include <array>

#include "table.hpp"

namespace polyhead::kernels {
namespace {

/// The stem's weights come first, then these in the order of the plan's steps.
template <class Visit>
void for_each_conv(const ResNetWeights& weights, const Visit& visit) {
  for (const BlockWeights& block : weights.blocks) {
    if (block.downsample) visit(*block.downsample);
    for (const ConvWeights& conv : block.convs) visit(conv);
  }
}

/// The mean of each channel's pixels.
void average(const Kernels& kernels, const Activations& from, std::span<float> features, Team& team) {
  const ImageDims& dims = from.dims();
  const float scale = 1.0F / static_cast<float>(dims.height * dims.width);
  team.run(from.images(), [&](int image, int /*thread*/) {
    for (int block = 0; block < from.blocks(); ++block) {
      std::array<float, kMostWidth> means;
      kernels.average(from.at(block, image, 0, 0), from.row_stride(), dims.height, dims.width, scale,
                      means.data());
      const int channel = block * from.block();
      std::copy_n(means.begin(), std::min(from.block(), dims.channels - channel),
                  features.begin() + std::ptrdiff_t{image} * dims.channels + channel);
    }
  });
}

}  // namespace

std::size_t ResNet::prepared_size(Isa isa, const ResNetWeights& weights) {
  std::size_t size = Stem::prepared_size(isa, weights.stem.shape.out);
  for_each_conv(weights,
                [&](const ConvWeights& conv) { size += Convolution::prepared_size(isa, conv.shape); });
  return size;
}

void ResNet::prepare(Isa isa, const ResNetWeights& weights, std::span<float> to) {
  const auto next = [&to](std::size_t size) {
    const std::span<float> taken = to.first(size);
    to = to.subspan(size);
    return taken;
  };
  const int stem_out = weights.stem.shape.out;
  Stem::prepare(isa, stem_out, weights.stem.weight, weights.stem.bias,
                next(Stem::prepared_size(isa, stem_out)));
  for_each_conv(weights, [&](const ConvWeights& conv) {
    Convolution::prepare(isa, conv.shape, conv.weight, conv.bias,
                         next(Convolution::prepared_size(isa, conv.shape)));
  });
}

ResNet::ResNet(Isa isa, const ResNetWeights& shapes, std::span<const float> prepared)
    : isa_(isa),
      shapes_(shapes),
      stem_(isa, shapes.stem.shape.out, prepared),
      feature_width_(shapes.blocks.empty() ? shapes.stem.shape.out
                                           : shapes.blocks.back().convs.back().shape.out) {
  prepared = prepared.subspan(Stem::prepared_size(isa, shapes.stem.shape.out));
  for_each_conv(shapes, [&](const ConvWeights& conv) {
    convolutions_.emplace_back(isa, conv.shape, prepared);
    prepared = prepared.subspan(Convolution::prepared_size(isa, conv.shape));
  });
}

ResNet::Memory::Memory(const ResNet& net, int batch, int height, int width, int threads)
    : batch_(batch),
      part_(std::min(batch, most_together(threads))),
      plan_(net.shapes_, height, width),
      workspace_(threads),
      stem_(net.stem_, height, width, threads) {
  for (const ImageDims& dims : plan_.activations) {
    activations_.emplace_back(whole_batch(dims) ? batch : part_, dims, block_of(net.isa_));
  }
}

void ResNet::features(std::span<const float> pixels, std::span<float> features, Memory& memory) const {
  const std::vector<ResNetPlan::Step>& steps = memory.plan_.steps;
  std::size_t small = 0;  // the first step for the whole batch
  while (small < steps.size() && !whole_batch(memory.plan_.activations[steps[small].in])) ++small;

  const std::size_t image_size = pixels.size() / static_cast<std::size_t>(memory.batch_);
  Activations& stem_out = memory.activations_.front();
  for (int first = 0; first < memory.batch_; first += memory.part_) {
    const int images = std::min(memory.part_, memory.batch_ - first);
    stem_(pixels.data() + static_cast<std::size_t>(first) * image_size, images, stem_out,
          whole_batch(stem_out.dims()) ? first : 0, memory.stem_, memory.workspace_.team());
    for (std::size_t step = 0; step < small; ++step) run(step, first, images, memory);
  }
  for (std::size_t step = small; step < steps.size(); ++step) run(step, 0, memory.batch_, memory);

  average(*kernels_of(isa_), memory.activations_[steps.empty() ? 0 : steps.back().out], features,
          memory.workspace_.team());
}

void ResNet::run(std::size_t number, int first, int images, Memory& memory) const {
  const ResNetPlan::Step& step = memory.plan_.steps[number];
  const auto place = [&](const Activations& of) { return whole_batch(of.dims()) ? first : 0; };
  const Activations& in = memory.activations_[step.in];
  Activations& out = memory.activations_[step.out];
  convolutions_[number]({&in, place(in), &out, place(out), images, step.add, step.relu}, memory.workspace_);
}

}  // namespace polyhead::kernels
