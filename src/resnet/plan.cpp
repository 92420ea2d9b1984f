#include "polyhead/resnet/plan.hpp"

#include <algorithm>
#include <initializer_list>

#include "polyhead/base/page_buffer.hpp"
#include "polyhead/kernels/stem.hpp"
#include "polyhead/resnet/network.hpp"

namespace polyhead::resnet {
namespace {

using kernels::Convolution;
using kernels::ConvShape;
using kernels::ImageDims;
using kernels::Stem;

/// The number of activations of these dims that are not in use, made where there are none.
std::size_t another(Plan& plan, const ImageDims& dims, std::initializer_list<std::size_t> in_use) {
  for (std::size_t number = 0; number < plan.activations.size(); ++number) {
    const bool used = std::ranges::find(in_use, number) != in_use.end();
    if (!used && plan.activations[number] == dims) return number;
  }
  plan.activations.push_back(dims);
  return plan.activations.size() - 1;
}

/// The block's result takes the place of what is added: its input, or what the downsampling gave. `conv`: the
/// number of its first convolution.
std::size_t add_block(Plan& plan, const BlockSpec& block, std::size_t conv, std::size_t in) {
  const auto output = [&](const ConvSpec& of, std::size_t input) {
    return of.shape.output(plan.activations[input]);
  };
  std::size_t sum = in;
  if (block.downsample) {
    sum = another(plan, output(*block.downsample, in), {in});
    plan.steps.push_back({conv + block.convs.size(), in, sum, false, false});
  }
  std::size_t now = in;
  for (const ConvSpec& spec : block.convs) {
    const bool last = &spec == &block.convs.back();
    const std::size_t to = last ? sum : another(plan, output(spec, now), {in, sum, now});
    plan.steps.push_back({conv++, now, to, last, true});
    now = to;
  }
  return sum;
}

}  // namespace

Plan::Plan(const Spec& spec, int height, int width)
    : activations{Stem::output(spec.stem.shape.out, height, width)} {
  std::size_t conv = 1;  // behind the stem's
  std::size_t last = 0;
  for (const BlockSpec& block : spec.blocks) {
    last = add_block(*this, block, conv, last);
    conv += block.convs.size() + (block.downsample ? 1 : 0);
  }
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

Footprint footprint(kernels::Isa isa, const Spec& spec, int batch, int height, int width, int threads) {
  const Plan plan(spec, height, width);
  const std::vector<ConvSpec> convs = convolutions(spec);
  const int part = most_together(threads);
  std::size_t scratch = 0;
  for (const Plan::Step& step : plan.steps) {
    const ImageDims& out = plan.activations[step.out];
    const ConvShape& shape = convs[step.conv].shape;
    scratch = std::max(scratch, Convolution::scratch(isa, shape, out, whole_batch(out) ? batch : part));
  }
  Footprint made;
  made.weights = PageBuffer::bytes_of(Network::prepared_size(isa, spec));
  made.fixed =
      static_cast<std::size_t>(threads) *
      (PageBuffer::bytes_of(scratch) + PageBuffer::bytes_of(Stem::scratch(isa, spec.stem.shape.out, width)));
  for (const ImageDims& dims : plan.activations) {
    const std::size_t image = kernels::Activations::image_size(dims, kernels::block_of(isa));
    if (whole_batch(dims)) {
      made.image += image * sizeof(float);
      made.fixed += PageBuffer::kLargestUnit;
    } else {
      made.fixed += PageBuffer::bytes_of(static_cast<std::size_t>(part) * image);
    }
  }
  return made;
}

}  // namespace polyhead::resnet
