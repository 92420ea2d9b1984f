#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "polyhead/kernels/stem.hpp"
#include "polyhead/kernels/workspace.hpp"
#include "polyhead/resnet/plan.hpp"

namespace polyhead::resnet {

/// Weights of a convolution, batch norm folded: [out][in][kernel][kernel] and [out].
struct FoldedConv {
  std::span<const float> weight;
  std::span<const float> bias;
};

/// A ResNet without its classifier, computed by the module `kernels`. Constant once made; callers with a
/// Memory each may share it.
class Network {
 public:
  /// Transforms the weights of all layers, given in the order of convolutions(spec); see
  /// kernels::Convolution.
  static std::size_t prepared_size(kernels::Isa isa, const Spec& spec);
  static void prepare(kernels::Isa isa, const Spec& spec, std::span<const FoldedConv> weights,
                      std::span<float> to);

  /// `prepared` must outlive it. Throws as Convolution does.
  Network(kernels::Isa isa, const Spec& spec, std::span<const float> prepared);

  [[nodiscard]] std::int64_t feature_width() const { return spec_.feature_width; }

  /// Resources of one caller: threads, scratch and activations for micro-batches of one shape.
  class Memory;
  /// `pixels`: [batch][3][height][width]; `features`: [batch][feature_width]. A sample's bits depend on
  /// nothing but the sample.
  void features(std::span<const float> pixels, std::span<float> features, Memory& memory) const;

 private:
  struct Lane;
  void run(const Plan::Step& step, int image, int images, Memory& memory, Lane& lane,
           kernels::Workspace& workspace) const;

  kernels::Isa isa_;
  Spec spec_;
  kernels::Stem stem_;
  std::vector<kernels::Convolution> convolutions_;  ///< all but the stem
};

/// Activations and scratch of one image in the large layers.
struct Network::Lane {
  Lane(const Network& network, const Plan& plan, int height, int width, int threads);
  kernels::Workspace workspace{1};
  kernels::Stem::Memory stem;
  std::vector<std::optional<kernels::Activations>> activations;
};

class Network::Memory {
 public:
  /// Throws std::bad_alloc.
  Memory(const Network& network, int batch, int height, int width, int threads);

 private:
  friend class Network;
  /// Place of an image in the plan's activation `number`.
  std::pair<kernels::Activations*, int> at(std::size_t number, int image, Lane& lane) {
    if (activations_[number]) return {&*activations_[number], image};
    return {&*lane.activations[number], 0};
  }

  int batch_;
  Plan plan_;
  kernels::Workspace workspace_;
  std::vector<std::optional<kernels::Activations>>
      activations_;         ///< activations of layers for the whole batch
  std::deque<Lane> lanes_;  ///< one per thread
};

}  // namespace polyhead::resnet
