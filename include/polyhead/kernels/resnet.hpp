#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "polyhead/kernels/convolution.hpp"
#include "polyhead/kernels/plan.hpp"
#include "polyhead/kernels/stem.hpp"

namespace polyhead::kernels {

/// A ResNet without its classifier. Constant once made; callers with a Memory each may share it.
class ResNet {
 public:
  /// Transforms the weights of all layers; see Convolution. `prepared_size` and the constructor look at the
  /// shapes only: the spans of `weights` may be empty.
  static std::size_t prepared_size(Isa isa, const ResNetWeights& weights);
  static void prepare(Isa isa, const ResNetWeights& weights, std::span<float> to);

  /// `prepared` must outlive it. Throws as Convolution does.
  ResNet(Isa isa, const ResNetWeights& shapes, std::span<const float> prepared);

  [[nodiscard]] int feature_width() const { return feature_width_; }

  /// All that one caller computes with: threads, scratch and activations for micro-batches of one shape.
  class Memory;
  /// `pixels`: [batch][3][height][width]; `features`: [batch][feature_width]. A sample's bits depend on
  /// nothing but the sample.
  void features(std::span<const float> pixels, std::span<float> features, Memory& memory) const;

 private:
  void run(std::size_t step, int first, int images, Memory& memory) const;

  Isa isa_;
  ResNetWeights shapes_;  ///< its spans may be of weights that are gone
  Stem stem_;
  std::vector<Convolution> convolutions_;  ///< in the order of the plan's steps
  int feature_width_;
};

class ResNet::Memory {
 public:
  /// Throws std::bad_alloc.
  Memory(const ResNet& net, int batch, int height, int width, int threads);

 private:
  friend class ResNet;

  int batch_;
  int part_;  ///< images that go through the large layers together
  ResNetPlan plan_;
  Workspace workspace_;
  Stem::Memory stem_;
  std::vector<Activations> activations_;
};

}  // namespace polyhead::kernels
