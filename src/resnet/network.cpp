#include "polyhead/resnet/network.hpp"

#include <algorithm>

namespace polyhead::resnet {
namespace {

using kernels::Activations;
using kernels::Convolution;
using kernels::ImageDims;
using kernels::Isa;
using kernels::Stem;

/// The mean of each channel's pixels, added up in their order.
void average(const Activations& from, std::span<float> features, Team& team) {
  const ImageDims& dims = from.dims();
  const float scale = 1.0F / static_cast<float>(dims.height * dims.width);
  team.run(from.images(), [&](int image, int /*thread*/) {
    for (int block = 0; block < from.blocks(); ++block) {
      const int channel = block * from.block();
      const int channels = std::min(from.block(), dims.channels - channel);
      float* to = features.data() + std::ptrdiff_t{image} * dims.channels + channel;
      std::fill_n(to, channels, 0.0F);
      for (int y = 0; y < dims.height; ++y) {
        for (int x = 0; x < dims.width; ++x) {
          const float* pixel = from.at(block, image, y, x);
          for (int c = 0; c < channels; ++c) to[c] += pixel[c];
        }
      }
      for (int c = 0; c < channels; ++c) to[c] *= scale;
    }
  });
}

}  // namespace

std::size_t Network::prepared_size(Isa isa, const Spec& spec) {
  const std::vector<ConvSpec> convs = convolutions(spec);
  std::size_t size = Stem::prepared_size(isa, spec.stem.shape.out);
  for (std::size_t i = 1; i < convs.size(); ++i) size += Convolution::prepared_size(isa, convs[i].shape);
  return size;
}

void Network::prepare(Isa isa, const Spec& spec, std::span<const FoldedConv> weights, std::span<float> to) {
  const std::vector<ConvSpec> convs = convolutions(spec);
  const int stem_out = spec.stem.shape.out;
  Stem::prepare(isa, stem_out, weights[0].weight, weights[0].bias, to);
  to = to.subspan(Stem::prepared_size(isa, stem_out));
  for (std::size_t i = 1; i < convs.size(); ++i) {
    const std::size_t size = Convolution::prepared_size(isa, convs[i].shape);
    Convolution::prepare(isa, convs[i].shape, weights[i].weight, weights[i].bias, to.first(size));
    to = to.subspan(size);
  }
}

Network::Network(Isa isa, const Spec& spec, std::span<const float> prepared)
    : isa_(isa), spec_(spec), stem_(isa, spec.stem.shape.out, prepared) {
  const std::vector<ConvSpec> convs = convolutions(spec);
  prepared = prepared.subspan(Stem::prepared_size(isa, spec.stem.shape.out));
  for (std::size_t i = 1; i < convs.size(); ++i) {
    convolutions_.emplace_back(isa, convs[i].shape, prepared);
    prepared = prepared.subspan(Convolution::prepared_size(isa, convs[i].shape));
  }
}

Network::Memory::Memory(const Network& network, int batch, int height, int width, int threads)
    : batch_(batch),
      part_(std::min(batch, most_together(threads))),
      plan_(network.spec_, height, width),
      workspace_(threads),
      stem_(network.stem_, height, width, threads) {
  for (const ImageDims& dims : plan_.activations) {
    activations_.emplace_back(whole_batch(dims) ? batch : part_, dims, kernels::block_of(network.isa_));
  }
}

void Network::features(std::span<const float> pixels, std::span<float> features, Memory& memory) const {
  const std::vector<Plan::Step>& steps = memory.plan_.steps;
  std::size_t small = 0;  // the first step for the whole batch
  while (small < steps.size() && !whole_batch(memory.plan_.activations[steps[small].in])) ++small;

  const std::size_t image_size = pixels.size() / static_cast<std::size_t>(memory.batch_);
  Activations& stem_out = memory.activations_.front();
  for (int first = 0; first < memory.batch_; first += memory.part_) {
    const int images = std::min(memory.part_, memory.batch_ - first);
    stem_(pixels.data() + static_cast<std::size_t>(first) * image_size, images, stem_out,
          whole_batch(stem_out.dims()) ? first : 0, memory.stem_, memory.workspace_.team());
    for (std::size_t step = 0; step < small; ++step) run(steps[step], first, images, memory);
  }
  for (std::size_t step = small; step < steps.size(); ++step) run(steps[step], 0, memory.batch_, memory);

  average(memory.activations_[steps.empty() ? 0 : steps.back().out], features, memory.workspace_.team());
}

void Network::run(const Plan::Step& step, int first, int images, Memory& memory) const {
  const auto place = [&](const Activations& of) { return whole_batch(of.dims()) ? first : 0; };
  const Activations& in = memory.activations_[step.in];
  Activations& out = memory.activations_[step.out];
  convolutions_[step.conv - 1]({&in, place(in), &out, place(out), images, step.add, step.relu},
                               memory.workspace_);
}

}  // namespace polyhead::resnet
