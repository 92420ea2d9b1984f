#pragma once

#include <cstddef>
#include <span>
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

  /// All that one caller computes with: threads, scratch and activations for micro-batches of one shape.
  class Memory;
  /// `pixels`: [batch][3][height][width]; `features`: [batch][feature_width]. A sample's bits depend on
  /// nothing but the sample.
  void features(std::span<const float> pixels, std::span<float> features, Memory& memory) const;

 private:
  void run(const Plan::Step& step, int first, int images, Memory& memory) const;

  kernels::Isa isa_;
  Spec spec_;
  kernels::Stem stem_;
  std::vector<kernels::Convolution> convolutions_;  ///< all but the stem
};

class Network::Memory {
 public:
  /// Throws std::bad_alloc.
  Memory(const Network& network, int batch, int height, int width, int threads);

 private:
  friend class Network;

  int batch_;
  int part_;  ///< images that go through the large layers together
  Plan plan_;
  kernels::Workspace workspace_;
  kernels::Stem::Memory stem_;
  std::vector<kernels::Activations> activations_;
};

}  // namespace polyhead::resnet
