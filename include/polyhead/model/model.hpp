#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "polyhead/base/image.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/model/engine.hpp"
#include "polyhead/model/prepared.hpp"
#include "polyhead/model/weights.hpp"

namespace polyhead::model {

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
/// their size; `prepared`: what the backbone's engine wants (see prepared.hpp), or nothing, and the model
/// makes its own. Fixes LibTorch's process-wide settings: thread count, deterministic algorithms, no TF32.
/// Throws Error.
std::unique_ptr<Model> make_model(const config::Config& config, Weights weights, std::int64_t batch,
                                  ImageShape image, const Placement& placement, Prepared prepared = {});

/// LibTorch's version and the instruction set that its CPU kernels picked, or the GPU's name; and the
/// backbone's engine and its instruction set: part of the numerics fingerprint.
std::string engine_fingerprint(const config::Backbone& backbone, const Placement& placement);

/// "2.15.0"
std::string libtorch_version();

}  // namespace polyhead::model
