#include <span>
#include <utility>
#include <vector>

#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include "backbone.hpp"
#include "model/torch/torch_guard.hpp"
#include "polyhead/model/engine.hpp"
#include "polyhead/model/prepared.hpp"
#include "polyhead/resnet/network.hpp"

namespace polyhead::model {
namespace {

std::span<const float> values_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

class WinogradBackbone : public Backbone {
 public:
  WinogradBackbone(const resnet::Spec& spec, Prepared prepared, const ImageBatchShape& input, int threads)
      : prepared_(std::move(prepared)),
        network_(kernels::best_isa().value(), spec, prepared_.values),
        memory_(network_, static_cast<int>(input[0]), static_cast<int>(input[2]), static_cast<int>(input[3]),
                threads) {}

  at::Tensor features(at::Tensor pixels) override {
    const at::Tensor in = pixels.contiguous();
    at::Tensor out = at::empty({in.size(0), network_.feature_width()}, in.options());
    network_.features(values_of(in), {out.mutable_data_ptr<float>(), static_cast<std::size_t>(out.numel())},
                      memory_);
    return out;
  }

 private:
  Prepared prepared_;
  resnet::Network network_;
  resnet::Network::Memory memory_;
};

}  // namespace

std::size_t prepared_size(const config::Backbone& backbone, const DeviceAssignment& assignment) {
  if (engine_of(backbone, assignment) != config::Engine::winograd) return 0;
  return resnet::Network::prepared_size(kernels::best_isa().value(), resnet::spec_of(backbone.arch));
}

void prepare(const config::Backbone& backbone, const Weights& weights, std::span<float> to) {
  guarded("preparing the backbone's weights", [&] {
    const c10::InferenceMode inference;
    const auto count = static_cast<std::int64_t>(weights.values.size());
    TensorSource source(weights.parameters, view_of(std::span(weights.values), {count}));
    const resnet::Spec spec = resnet::spec_of(backbone.arch);
    std::vector<resnet::FoldedConv> folded(convolutions(spec).size());  // views of the weights
    for (resnet::FoldedConv& conv : folded) {
      conv.weight = values_of(source.next());
      conv.bias = values_of(source.next());
    }
    resnet::Network::prepare(kernels::best_isa().value(), spec, folded, to);
  });
}

std::unique_ptr<Backbone> make_winograd_backbone(const resnet::Spec& spec, Prepared prepared,
                                                 const ImageBatchShape& input, int threads) {
  return std::make_unique<WinogradBackbone>(spec, std::move(prepared), input, threads);
}

}  // namespace polyhead::model
