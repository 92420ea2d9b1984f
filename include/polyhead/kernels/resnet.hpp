#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include "polyhead/kernels/convolution.hpp"
#include "polyhead/kernels/stem.hpp"

namespace polyhead::kernels {

/// A convolution's shape and its weights, batch norm folded: [out][in][kernel][kernel] and [out].
struct ConvWeights {
  ConvShape shape;
  std::span<const float> weight;
  std::span<const float> bias;
};

/// Convolutions with a ReLU after each but the last, then the block's input, or what `downsample` makes of
/// it, is added, then a ReLU.
struct BlockWeights {
  std::vector<ConvWeights> convs;
  std::optional<ConvWeights> downsample;
};

/// 7x7 stem of stride 2 (its shape says so), 3x3 maximum of stride 2, blocks, global average.
struct ResNetWeights {
  ConvWeights stem;
  std::vector<BlockWeights> blocks;
};

/// A ResNet without its classifier. Constant once made; callers with a Memory each may share it.
class ResNet {
 public:
  /// Transforms the weights of all layers; see Convolution. `weights`: `prepared_size` and the constructor
  /// look at the shapes only.
  static std::size_t prepared_size(Isa isa, const ResNetWeights& weights);
  static void prepare(Isa isa, const ResNetWeights& weights, std::span<float> to);

  /// `prepared` must outlive it. Throws as Convolution does.
  ResNet(Isa isa, const ResNetWeights& weights, std::span<const float> prepared);

  [[nodiscard]] int feature_width() const { return feature_width_; }

  /// All that one caller computes with: threads, scratch and activations for micro-batches of one shape.
  class Memory;
  /// `pixels`: [batch][3][height][width]; `features`: [batch][feature_width]. A sample's bits depend on
  /// nothing but the sample.
  void features(std::span<const float> pixels, std::span<float> features, Memory& memory) const;

 private:
  struct Block {
    std::vector<Convolution> convs;
    std::optional<Convolution> downsample;
  };

  Isa isa_;
  Stem stem_;
  std::vector<Block> blocks_;
  int feature_width_ = 0;
};

/// Bytes that a network and one Memory of it take: weights + fixed + m x image for a micro-batch of m.
struct ResNetFootprint {
  std::size_t weights = 0;
  std::size_t fixed = 0;  ///< scratch of the threads, activations of the large layers
  std::size_t image = 0;  ///< activations of the layers that are computed for the whole batch
};

/// Looks at the shapes only: the spans of `weights` may be empty. The rest as of Memory; with a batch far
/// from `batch`, `fixed` may be some MiB a thread less or more. The processor must have `isa`.
ResNetFootprint footprint(Isa isa, const ResNetWeights& weights, int batch, int height, int width,
                          int threads);

class ResNet::Memory {
 public:
  /// `net` must outlive it. Throws std::bad_alloc.
  Memory(const ResNet& net, int batch, int height, int width, int threads);

 private:
  friend class ResNet;
  /// One convolution of the network, between activations given by their numbers.
  struct Step {
    const Convolution* convolution;
    std::size_t in;
    std::size_t out;
    std::optional<std::size_t> residual;
    bool relu;
  };

  std::size_t add_block(const Block& block, std::size_t in);
  std::size_t another(const ImageDims& dims, std::initializer_list<std::size_t> in_use);
  void run(const Step& step, int first, int images);

  Isa isa_;
  int batch_;
  int part_;  ///< images that go through the large layers together
  Workspace workspace_;
  Stem::Memory stem_;
  std::vector<Activations> activations_;  ///< the first is the stem's output
  std::vector<Step> steps_;
};

}  // namespace polyhead::kernels
