#include "polyhead/kernels/resnet.hpp"

#include <algorithm>
#include <array>

#include "layers.hpp"
#include "table.hpp"

namespace polyhead::kernels {
namespace {

/// In the order in which their weights are prepared.
template <class Visit>
void for_each_conv(const ResNetWeights& weights, const Visit& visit) {
  for (const BlockWeights& block : weights.blocks) {
    for (const ConvWeights& conv : block.convs) visit(conv);
    if (block.downsample) visit(*block.downsample);
  }
}

/// The mean of each channel's pixels.
void average(const Kernels& kernels, const Activations& from, std::span<float> features,
             Workspace& workspace) {
  const ImageDims& dims = from.dims();
  const float scale = 1.0F / static_cast<float>(dims.height * dims.width);
  workspace.team().run(from.images(), [&](int image, int /*thread*/) {
    for (int block = 0; block < from.blocks(); ++block) {
      std::array<float, kMostWidth> means;
      kernels.average(from.data() + block * from.block_stride() + from.offset(image, 0, 0), from.row_stride(),
                      dims.height, dims.width, scale, means.data());
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
  const int stem_out = weights.stem.shape.out;
  const std::size_t stem_size = Stem::prepared_size(isa, stem_out);
  Stem::prepare(isa, stem_out, weights.stem.weight, weights.stem.bias, to.first(stem_size));
  to = to.subspan(stem_size);
  for_each_conv(weights, [&](const ConvWeights& conv) {
    const std::size_t size = Convolution::prepared_size(isa, conv.shape);
    Convolution::prepare(isa, conv.shape, conv.weight, conv.bias, to.first(size));
    to = to.subspan(size);
  });
}

ResNet::ResNet(Isa isa, const ResNetWeights& weights, std::span<const float> prepared)
    : isa_(isa), stem_(isa, weights.stem.shape.out, prepared), feature_width_(weights.stem.shape.out) {
  prepared = prepared.subspan(Stem::prepared_size(isa, weights.stem.shape.out));
  const auto make = [&](const ConvWeights& conv) {
    Convolution made(isa, conv.shape, prepared);
    prepared = prepared.subspan(Convolution::prepared_size(isa, conv.shape));
    return made;
  };
  for (const BlockWeights& block_weights : weights.blocks) {
    Block& block = blocks_.emplace_back();
    for (const ConvWeights& conv : block_weights.convs) block.convs.push_back(make(conv));
    if (block_weights.downsample) block.downsample.emplace(make(*block_weights.downsample));
    feature_width_ = block_weights.convs.back().shape.out;
  }
}

void ResNet::features(std::span<const float> pixels, std::span<float> features, Memory& memory) const {
  const std::ptrdiff_t image_size = std::ptrdiff_t{3} * memory.stem_.height * memory.stem_.width;
  const auto small = std::ranges::find_if(memory.steps_, [&](const Memory::Step& step) {
    return whole_batch(memory.activations_[step.in].dims());
  });
  for (int first = 0; first < memory.batch_; first += memory.part_) {
    const int images = std::min(memory.part_, memory.batch_ - first);
    Activations& stem_out = memory.activations_.front();
    stem_(pixels.data() + first * image_size, images, stem_out, whole_batch(stem_out.dims()) ? first : 0,
          memory.stem_, memory.workspace_);
    for (auto step = memory.steps_.begin(); step != small; ++step) memory.run(*step, first, images);
  }
  for (auto step = small; step != memory.steps_.end(); ++step) memory.run(*step, 0, memory.batch_);

  average(*kernels_of(isa_), memory.activations_[memory.steps_.empty() ? 0 : memory.steps_.back().out],
          features, memory.workspace_);
}

ResNet::Memory::Memory(const ResNet& net, int batch, int height, int width, int threads)
    : isa_(net.isa_),
      batch_(batch),
      part_(std::min(batch, most_together(threads))),
      workspace_(threads),
      stem_(net.stem_, height, width, threads) {
  std::size_t last = another(net.stem_.output(height, width), {});
  for (const Block& block : net.blocks_) last = add_block(block, last);
}

/// The number of activations of these dims that are not in use, made where there are none.
std::size_t ResNet::Memory::another(const ImageDims& dims, std::initializer_list<std::size_t> in_use) {
  for (std::size_t number = 0; number < activations_.size(); ++number) {
    const bool used = std::find(in_use.begin(), in_use.end(), number) != in_use.end();
    if (!used && activations_[number].dims() == dims) return number;
  }
  activations_.emplace_back(whole_batch(dims) ? batch_ : part_, dims, block_of(isa_));
  return activations_.size() - 1;
}

/// The block's result takes the place of what is added: its input, or what the downsampling gave.
std::size_t ResNet::Memory::add_block(const Block& block, std::size_t in) {
  std::size_t sum = in;
  if (block.downsample) {
    sum = another(block.downsample->output(activations_[in].dims()), {in});
    steps_.push_back({&*block.downsample, in, sum, std::nullopt, false});
  }
  std::size_t now = in;
  for (const Convolution& convolution : block.convs) {
    const bool last = &convolution == &block.convs.back();
    const std::size_t to = last ? sum : another(convolution.output(activations_[now].dims()), {in, sum, now});
    steps_.push_back({&convolution, now, to, last ? std::optional(sum) : std::nullopt, true});
    now = to;
  }
  return sum;
}

void ResNet::Memory::run(const Step& step, int first, int images) {
  const auto place = [&](std::size_t number) { return whole_batch(activations_[number].dims()) ? first : 0; };
  ConvCall call;
  call.in = &activations_[step.in];
  call.in_first = place(step.in);
  call.out = &activations_[step.out];
  call.out_first = place(step.out);
  if (step.residual) {
    call.residual = &activations_[*step.residual];
    call.residual_first = place(*step.residual);
  }
  call.images = images;
  call.relu = step.relu;
  (*step.convolution)(call, workspace_);
}

}  // namespace polyhead::kernels
