#include <algorithm>
#include <cstdint>
#include <utility>

#include "heads.hpp"
#include "model/torch/layer.hpp"
#include "polyhead/base/page_buffer.hpp"
#include "polyhead/kernels/linear.hpp"

namespace polyhead::model {
namespace {

using config::LayerKind;
using kernels::Isa;
using kernels::LinearCall;

/// Most floats that the heads of a wave hold between their layers, so that they stay in the caches.
constexpr std::ptrdiff_t kWave = std::ptrdiff_t{1} << 19U;

int width_of(const Layer& linear) {
  return static_cast<int>(linear.weight.size(0));
}

/// State of a head: its values, in panels, and the remaining layers.
struct Progress {
  std::span<const Layer> left;
  const float* values;
  int channels;
  float* free;       ///< place for the output of its next linear layers
  at::Tensor owner;  ///< owner of the values, where LibTorch made them
};

class BatchedHeads : public Heads {
 public:
  BatchedHeads(const std::vector<std::vector<HeadStep>>& heads, TensorSource& source, int threads)
      : isa_(kernels::best_isa().value()), team_(threads) {
    for (const std::vector<HeadStep>& steps : heads) heads_.push_back(take_layers(steps, source));
  }

  void scores(const at::Tensor& features, const at::Tensor& scores) override {
    const auto samples = static_cast<int>(features.size(0));
    const auto width = static_cast<int>(features.size(1));
    panels_ = kernels::panels_of(isa_, samples);
    input_.at_least(static_cast<std::size_t>(floats(width)));
    const auto count = static_cast<std::size_t>(samples);
    kernels::to_panels(isa_, {features.const_data_ptr<float>(), count * static_cast<std::size_t>(width)},
                       width, input_.data());
    const std::size_t answer = count * static_cast<std::size_t>(scores.size(2));
    float* to = scores.mutable_data_ptr<float>();
    for (std::size_t first = 0; first < heads_.size();) {
      const std::size_t end = wave_from(first);
      const std::vector<Progress> done = compute(first, end, width);
      team_.run(static_cast<int>(done.size()), [&](int head, int /*thread*/) {
        const Progress& one = done[static_cast<std::size_t>(head)];
        kernels::from_panels(isa_, one.values, one.channels,
                             {to + (first + static_cast<std::size_t>(head)) * answer, answer});
      });
      first = end;
    }
  }

 private:
  [[nodiscard]] std::ptrdiff_t floats(int channels) const {
    return std::ptrdiff_t{channels} * panels_ * kernels::panel_of(isa_);
  }

  /// Floats that a head's layers write.
  [[nodiscard]] std::ptrdiff_t room_of(const std::vector<Layer>& layers) const {
    std::ptrdiff_t room = 0;
    for (const Layer& layer : layers) room += layer.kind == LayerKind::linear ? floats(width_of(layer)) : 0;
    return room;
  }

  /// End of the heads that are computed together with `first`: at least this one.
  [[nodiscard]] std::size_t wave_from(std::size_t first) const {
    std::ptrdiff_t room = 0;
    std::size_t end = first;
    while (end < heads_.size() && (end == first || room + room_of(heads_[end]) <= kWave)) {
      room += room_of(heads_[end++]);
    }
    return end;
  }

  std::vector<Progress> compute(std::size_t first, std::size_t end, int width) {
    std::ptrdiff_t room = 0;
    for (std::size_t k = first; k < end; ++k) room += room_of(heads_[k]);
    values_.at_least(static_cast<std::size_t>(room));
    std::vector<Progress> wave;
    float* free = values_.data();
    for (std::size_t k = first; k < end; ++k) {
      wave.push_back({heads_[k], input_.data(), width, free, {}});
      free += room_of(heads_[k]);
    }
    std::vector<LinearCall> calls;
    do {
      calls.clear();
      for (Progress& head : wave) advance(head, calls);
      kernels::compute(isa_, calls, panels_, team_);
    } while (!calls.empty());
    return wave;
  }

  /// Advances the head past its next linear layer, which is added to the calls, and the ReLU after it.
  void advance(Progress& head, std::vector<LinearCall>& calls) const {
    while (!head.left.empty() && head.left.front().kind != LayerKind::linear) apply_alone(head);
    if (head.left.empty()) return;
    const Layer& linear = head.left.front();
    LinearCall call;
    call.weight = linear.weight.const_data_ptr<float>();
    call.bias = linear.bias.const_data_ptr<float>();
    call.in = head.channels;
    call.out = width_of(linear);
    call.x = head.values;
    call.y = head.free;
    call.relu = head.left.size() > 1 && head.left[1].kind == LayerKind::relu;
    calls.push_back(call);
    head.left = head.left.subspan(call.relu ? 2 : 1);
    head.values = call.y;
    head.channels = call.out;
    head.free += floats(call.out);
  }

  /// Applies a layer with LibTorch, which takes panels as samples in another order.
  void apply_alone(Progress& head) const {
    const at::Tensor panels = view_of({head.values, static_cast<std::size_t>(floats(head.channels))},
                                      {panels_, head.channels, kernels::panel_of(isa_)});
    head.owner = apply(head.left.front(), panels.transpose(1, 2)).transpose(1, 2).contiguous();
    head.values = head.owner.const_data_ptr<float>();
    head.left = head.left.subspan(1);
  }

  Isa isa_;
  Team team_;
  std::vector<std::vector<Layer>> heads_;
  int panels_ = 0;
  PageBuffer input_;
  PageBuffer values_;  ///< results of a wave's linear layers
};

}  // namespace

std::unique_ptr<Heads> make_batched_heads(const std::vector<std::vector<HeadStep>>& heads,
                                          TensorSource& source, int threads) {
  return std::make_unique<BatchedHeads>(heads, source, threads);
}

}  // namespace polyhead::model
