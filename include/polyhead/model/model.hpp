#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "polyhead/base/image.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/model/weights.hpp"

namespace polyhead::model {

/// Where a rank computes.
struct Placement {
  bool cuda = false;
  int device = 0;   ///< CUDA device index
  int threads = 1;  ///< CPU threads for compute
};

/// The backbone and its heads on one device. Every call sees the whole micro-batch: the same shape each time,
/// so that the same kernels run whatever the number of ranks.
class Model {
 public:
  virtual ~Model() = default;
  /// `pixels`: fp32 [batch, 3, H, W]; `features`: fp32 [batch, feature_width]. Both 64-byte aligned, in host
  /// memory.
  virtual void features(std::span<const float> pixels, std::span<float> features) = 0;
  /// The same from uint8 [batch, H, W, 3], which are scaled and normalised on the device as
  /// `data.preprocess.mean` and `std` say.
  virtual void features(std::span<const std::uint8_t> bytes, std::span<float> features) = 0;
  /// `features`: fp32 [batch, feature_width]; `scores`: fp32 [heads, batch, classes], the heads' logits.
  virtual void scores(std::span<const float> features, std::span<float> scores) = 0;
};

/// Builds the model from packed weights (no files are read). `batch`: samples in a micro-batch; `image`:
/// their size. Fixes LibTorch's process-wide settings: thread count, deterministic algorithms, no TF32.
/// Throws Error.
std::unique_ptr<Model> make_model(const config::Config& config, Weights weights, std::int64_t batch,
                                  ImageShape image, const Placement& placement);

/// What computes the backbone there: `winograd` or `libtorch`, never `automatic`. Throws Error(config) when
/// it must be `winograd`, but is to run on a GPU or a processor without AVX2.
config::Engine engine_of(const config::Backbone& backbone, const Placement& placement);

/// Why `automatic` falls back to LibTorch, for a message: "this processor has no AVX2". Empty where it does
/// not.
std::string why_no_winograd(const config::Backbone& backbone, const Placement& placement);

/// LibTorch's version and the instruction set that its CPU kernels picked, or the GPU's name; and the
/// backbone's engine and its instruction set: part of the numerics fingerprint.
std::string engine_fingerprint(const config::Backbone& backbone, const Placement& placement);

/// "2.15.0"
std::string libtorch_version();

}  // namespace polyhead::model
