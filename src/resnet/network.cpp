#include "polyhead/resnet/network.hpp"

#include <algorithm>

namespace polyhead::resnet {
namespace {

using kernels::Activations;
using kernels::Convolution;
using kernels::ImageDims;
using kernels::Isa;
using kernels::Stem;
using kernels::Workspace;

/// Adds each pixel's channels of one block to `to`, in the order of the pixels.
void add_pixels(const Activations& from, int block, int image, int channels, float* to) {
  for (int y = 0; y < from.dims().height; ++y) {
    for (int x = 0; x < from.dims().width; ++x) {
      const float* pixel = from.at(block, image, y, x);
      for (int c = 0; c < channels; ++c) to[c] += pixel[c];
    }
  }
}

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
      add_pixels(from, block, image, channels, to);
      for (int c = 0; c < channels; ++c) to[c] *= scale;
    }
  });
}

/// Activations of the layers that are computed for the whole batch, or of the others.
std::vector<std::optional<Activations>> activations_of(const Plan& plan, bool whole, int images, int block) {
  std::vector<std::optional<Activations>> made(plan.activations.size());
  for (std::size_t number = 0; number < made.size(); ++number) {
    const ImageDims& dims = plan.activations[number];
    if (whole_batch(dims) == whole) made[number].emplace(images, dims, block);
  }
  return made;
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

Network::Lane::Lane(const Network& network, const Plan& plan, int height, int width, int threads)
    : stem(network.stem_, height, width, threads),
      activations(activations_of(plan, false, 1, kernels::block_of(network.isa_))) {}

/// Allocates all memory in advance: a thread of a team may not throw.
Network::Memory::Memory(const Network& network, int batch, int height, int width, int threads)
    : batch_(batch),
      plan_(network.spec_, height, width),
      workspace_(threads),
      activations_(activations_of(plan_, true, batch, kernels::block_of(network.isa_))) {
  const Scratch scratch = scratch_of(network.isa_, network.spec_, plan_, batch);
  workspace_.reserve(scratch.most);
  for (int lane = 0; lane < std::min(batch, threads); ++lane) {
    lanes_.emplace_back(network, plan_, height, width, lane == 0 ? threads : 1);
    lanes_.back().workspace.reserve(scratch.large);
  }
}

/// Computes one image per thread through the large layers. So its activations stay in the caches of that
/// thread, and threads do not wait for each other. All threads share the remaining images.
void Network::features(std::span<const float> pixels, std::span<float> features, Memory& memory) const {
  const std::vector<Plan::Step>& steps = memory.plan_.steps;
  const auto small = std::ranges::find_if(
      steps, [&](const Plan::Step& step) { return whole_batch(memory.plan_.activations[step.in]); });
  const std::size_t image_size = pixels.size() / static_cast<std::size_t>(memory.batch_);
  const auto large_layers = [&](int image, Lane& lane, Workspace& workspace) {
    const auto [to, place] = memory.at(0, image, lane);
    stem_(pixels.data() + static_cast<std::size_t>(image) * image_size, 1, *to, place, lane.stem,
          workspace.team());
    for (auto step = steps.begin(); step != small; ++step) run(*step, image, 1, memory, lane, workspace);
  };
  Workspace& all = memory.workspace_;
  const int alone = memory.batch_ - memory.batch_ % all.team().threads();
  all.team().run(alone, [&](int image, int thread) {
    Lane& lane = memory.lanes_[static_cast<std::size_t>(thread)];
    large_layers(image, lane, lane.workspace);
  });
  Lane& first = memory.lanes_.front();
  for (int image = alone; image < memory.batch_; ++image) large_layers(image, first, all);
  for (auto step = small; step != steps.end(); ++step) run(*step, 0, memory.batch_, memory, first, all);

  average(*memory.at(steps.empty() ? 0 : steps.back().out, 0, first).first, features, all.team());
}

void Network::run(const Plan::Step& step, int image, int images, Memory& memory, Lane& lane,
                  Workspace& workspace) const {
  const auto [in, in_first] = memory.at(step.in, image, lane);
  const auto [out, out_first] = memory.at(step.out, image, lane);
  convolutions_[step.conv - 1]({in, in_first, out, out_first, images, step.add, step.relu}, workspace);
}

}  // namespace polyhead::resnet
