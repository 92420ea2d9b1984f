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

/// Number of an unused activation of these dims; makes one where there is none.
std::size_t another(Plan& plan, const ImageDims& dims, std::initializer_list<std::size_t> in_use) {
  for (std::size_t number = 0; number < plan.activations.size(); ++number) {
    const bool used = std::ranges::find(in_use, number) != in_use.end();
    if (!used && plan.activations[number] == dims) return number;
  }
  plan.activations.push_back(dims);
  return plan.activations.size() - 1;
}

/// Adds a block. Its result overwrites what is added: its input, or the output of the downsampling. `conv`:
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
  std::size_t conv = 1;  // first after the stem's
  std::size_t last = 0;
  for (const BlockSpec& block : spec.blocks) {
    last = add_block(*this, block, conv, last);
    conv += block.convs.size() + (block.downsample ? 1 : 0);
  }
}

/// Whether a layer is computed for the whole batch: small planes are, since their weights cause the memory
/// traffic.
bool whole_batch(const ImageDims& dims) {
  constexpr int kSmallPlane = 400;  // pixels
  return dims.height * dims.width <= kSmallPlane;
}

Scratch scratch_of(kernels::Isa isa, const Spec& spec, const Plan& plan, int batch) {
  const std::vector<ConvSpec> convs = convolutions(spec);
  Scratch scratch;
  for (const Plan::Step& step : plan.steps) {
    const bool whole = whole_batch(plan.activations[step.in]);
    const std::size_t needed =
        Convolution::scratch(isa, convs[step.conv].shape, plan.activations[step.out], whole ? batch : 1);
    scratch.most = std::max(scratch.most, needed);
    if (!whole) scratch.large = std::max(scratch.large, needed);
  }
  return scratch;
}

Footprint footprint(kernels::Isa isa, const Spec& spec, int batch, int height, int width, int threads) {
  const Plan plan(spec, height, width);
  const Scratch scratch = scratch_of(isa, spec, plan, batch);
  Footprint made;
  made.weights = PageBuffer::bytes_of(Network::prepared_size(isa, spec));
  // Two bands: a thread may compute the stem of an image or of a part of one.
  std::size_t lane =
      2 * Stem::band_bytes(isa, spec.stem.shape.out, width) + PageBuffer::bytes_of(scratch.large);
  for (const ImageDims& dims : plan.activations) {
    const std::size_t image = kernels::Activations::image_size(dims, kernels::block_of(isa));
    if (whole_batch(dims)) {
      made.image += image * sizeof(float);
      made.fixed += PageBuffer::kMaxUnit;
    } else {
      lane += PageBuffer::bytes_of(image);
    }
  }
  made.fixed += static_cast<std::size_t>(threads) * (lane + PageBuffer::bytes_of(scratch.most));
  return made;
}

}  // namespace polyhead::resnet
