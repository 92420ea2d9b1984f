#include <span>
#include <utility>

#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include "backbone.hpp"
#include "polyhead/kernels/resnet.hpp"
#include "polyhead/model/engine.hpp"
#include "polyhead/model/prepared.hpp"
#include "torch_guard.hpp"

namespace polyhead::model {
namespace {

std::span<const float> values_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

kernels::ConvShape shape_of(const ConvSpec& spec) {
  const auto number = [](std::int64_t value) { return static_cast<int>(value); };
  return {number(spec.in), number(spec.out), number(spec.kernel), number(spec.stride)};
}

/// `make(conv)` of each convolution, in the order in which their weights are packed.
template <class Make>
kernels::ResNetWeights weights_of(const ResNetSpec& spec, Make make) {
  kernels::ResNetWeights weights{make(spec.stem), {}};
  for (const BlockSpec& block : spec.blocks) {
    kernels::BlockWeights& taken = weights.blocks.emplace_back();
    for (const ConvSpec& conv : block.convs) taken.convs.push_back(make(conv));
    if (block.downsample) taken.downsample = make(*block.downsample);
  }
  return weights;
}

kernels::ResNetWeights shapes_of(const ResNetSpec& spec) {
  return weights_of(spec, [](const ConvSpec& conv) { return kernels::ConvWeights{shape_of(conv), {}, {}}; });
}

/// Views of the weights: their owner outlives them.
kernels::ResNetWeights take_weights(const ResNetSpec& spec, TensorSource& source) {
  return weights_of(spec, [&](const ConvSpec& conv) {
    const at::Tensor weight = source.next();
    const at::Tensor bias = source.next();
    return kernels::ConvWeights{shape_of(conv), values_of(weight), values_of(bias)};
  });
}

class WinogradBackbone : public Backbone {
 public:
  WinogradBackbone(const ResNetSpec& spec, Prepared prepared, const ImageBatchShape& input, int threads)
      : prepared_(std::move(prepared)),
        net_(kernels::best_isa().value(), shapes_of(spec), prepared_.values),
        memory_(net_, static_cast<int>(input[0]), static_cast<int>(input[2]), static_cast<int>(input[3]),
                threads) {}

  at::Tensor features(at::Tensor pixels) override {
    const at::Tensor in = pixels.contiguous();
    at::Tensor out = at::empty({in.size(0), net_.feature_width()}, in.options());
    net_.features(values_of(in), {out.mutable_data_ptr<float>(), static_cast<std::size_t>(out.numel())},
                  memory_);
    return out;
  }

 private:
  Prepared prepared_;
  kernels::ResNet net_;
  kernels::ResNet::Memory memory_;
};

}  // namespace

kernels::ResNetFootprint winograd_footprint(config::Arch arch, ImageShape image, int batch, int threads) {
  return kernels::footprint(kernels::best_isa().value(), shapes_of(resnet_spec(arch)), batch, image.height,
                            image.width, threads);
}

std::size_t prepared_size(const config::Backbone& backbone, const Placement& placement) {
  if (engine_of(backbone, placement) != config::Engine::winograd) return 0;
  return kernels::ResNet::prepared_size(kernels::best_isa().value(), shapes_of(resnet_spec(backbone.arch)));
}

void prepare(const config::Backbone& backbone, const Weights& weights, std::span<float> to) {
  guarded("preparing the backbone's weights", [&] {
    const c10::InferenceMode inference;
    const auto count = static_cast<std::int64_t>(weights.values.size());
    TensorSource source(weights.parameters, view_of(std::span(weights.values), {count}));
    kernels::ResNet::prepare(kernels::best_isa().value(), take_weights(resnet_spec(backbone.arch), source),
                             to);
  });
}

std::unique_ptr<Backbone> make_winograd_backbone(const ResNetSpec& spec, Prepared prepared,
                                                 const ImageBatchShape& input, int threads) {
  return std::make_unique<WinogradBackbone>(spec, std::move(prepared), input, threads);
}

}  // namespace polyhead::model
