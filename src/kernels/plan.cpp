#include "polyhead/kernels/plan.hpp"

#include <algorithm>
#include <initializer_list>

#include "polyhead/kernels/buffer.hpp"
#include "polyhead/kernels/resnet.hpp"
#include "polyhead/kernels/stem.hpp"

namespace polyhead::kernels {
namespace {

/// The number of activations of these dims that are not in use, made where there are none.
std::size_t another(ResNetPlan& plan, const ImageDims& dims, std::initializer_list<std::size_t> in_use) {
  for (std::size_t number = 0; number < plan.activations.size(); ++number) {
    const bool used = std::ranges::find(in_use, number) != in_use.end();
    if (!used && plan.activations[number] == dims) return number;
  }
  plan.activations.push_back(dims);
  return plan.activations.size() - 1;
}

/// The block's result takes the place of what is added: its input, or what the downsampling gave.
std::size_t add_block(ResNetPlan& plan, const BlockWeights& block, std::size_t in) {
  const auto output = [&](const ConvWeights& conv, std::size_t of) {
    return conv.shape.output(plan.activations[of]);
  };
  std::size_t sum = in;
  if (block.downsample) {
    sum = another(plan, output(*block.downsample, in), {in});
    plan.steps.push_back({block.downsample->shape, in, sum, false, false});
  }
  std::size_t now = in;
  for (const ConvWeights& conv : block.convs) {
    const bool last = &conv == &block.convs.back();
    const std::size_t to = last ? sum : another(plan, output(conv, now), {in, sum, now});
    plan.steps.push_back({conv.shape, now, to, last, true});
    now = to;
  }
  return sum;
}

std::size_t bytes_of(const ScratchSize& scratch) {
  return Buffer::bytes_of(scratch.inputs) + Buffer::bytes_of(scratch.sums);
}

}  // namespace

ResNetPlan::ResNetPlan(const ResNetWeights& shapes, int height, int width)
    : activations{Stem::output(shapes.stem.shape.out, height, width)} {
  std::size_t last = 0;
  for (const BlockWeights& block : shapes.blocks) last = add_block(*this, block, last);
}

/// Their activations stay in the third-level cache, and give each thread enough to do.
int most_together(int threads) {
  return std::max(4, 2 * threads);
}

/// Small planes do: their weights are what costs memory traffic.
bool whole_batch(const ImageDims& dims) {
  constexpr int kSmallPlane = 400;  // pixels
  return dims.height * dims.width <= kSmallPlane;
}

ResNetFootprint footprint(Isa isa, const ResNetWeights& shapes, int batch, int height, int width,
                          int threads) {
  const ResNetPlan plan(shapes, height, width);
  const int part = most_together(threads);
  ResNetFootprint made;
  ScratchSize scratch;
  for (const ResNetPlan::Step& step : plan.steps) {
    const ImageDims& out = plan.activations[step.out];
    const ScratchSize needed = Convolution::scratch(isa, step.shape, out, whole_batch(out) ? batch : part);
    scratch = {std::max(scratch.inputs, needed.inputs), std::max(scratch.sums, needed.sums)};
  }
  made.weights = Buffer::bytes_of(ResNet::prepared_size(isa, shapes));
  made.fixed = static_cast<std::size_t>(threads) *
               (bytes_of(scratch) + bytes_of(Stem::scratch(isa, shapes.stem.shape.out, width)));
  for (const ImageDims& dims : plan.activations) {
    const std::size_t image = Activations::image_size(dims, block_of(isa));
    if (whole_batch(dims)) {
      made.image += image * sizeof(float);
      made.fixed += Buffer::kLargestUnit;
    } else {
      made.fixed += Buffer::bytes_of(static_cast<std::size_t>(part) * image);
    }
  }
  return made;
}

}  // namespace polyhead::kernels
