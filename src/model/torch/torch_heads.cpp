#include "layer.hpp"
#include "model/heads.hpp"

namespace polyhead::model {
namespace {

class TorchHeads : public Heads {
 public:
  TorchHeads(const std::vector<std::vector<HeadStep>>& heads, TensorSource& source) {
    for (const std::vector<HeadStep>& steps : heads) heads_.push_back(take_layers(steps, source));
  }

  void scores(const at::Tensor& features, const at::Tensor& scores) override {
    for (std::size_t k = 0; k < heads_.size(); ++k) {
      at::Tensor x = features;
      for (const Layer& layer : heads_[k]) x = apply(layer, x);
      scores.select(0, static_cast<std::int64_t>(k)).copy_(x);
    }
  }

 private:
  std::vector<std::vector<Layer>> heads_;
};

}  // namespace

std::unique_ptr<Heads> make_torch_heads(const std::vector<std::vector<HeadStep>>& heads,
                                        TensorSource& source) {
  return std::make_unique<TorchHeads>(heads, source);
}

}  // namespace polyhead::model
