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

/// Backbone and heads on one device. Every call computes a whole micro-batch: the shape is always the same,
/// so that the same kernels run for any number of ranks.
class Model {
 public:
  virtual ~Model() = default;
  /// `pixels`: fp32 [batch, 3, H, W]; `features`: fp32 [batch, feature_width]. Both 256-byte aligned, in host
  /// memory.
  virtual void features(std::span<const float> pixels, std::span<float> features) = 0;
  /// Features from uint8 [batch, H, W, 3], which are scaled and normalised on the device as
  /// `data.preprocess.mean` and `std` say.
  virtual void features(std::span<const std::uint8_t> bytes, std::span<float> features) = 0;
  /// `features`: fp32 [batch, feature_width]; `scores`: fp32 [heads, batch, classes], the heads' logits.
  virtual void scores(std::span<const float> features, std::span<float> scores) = 0;
};

/// Builds the model from packed weights (no files are read). `batch`: samples in a micro-batch; `image`:
/// their size. `prepared`: weights for the backbone's engine (see prepared.hpp); without them the model
/// prepares its own. Fixes LibTorch's process-wide settings: thread count, deterministic algorithms, no TF32.
/// Throws Error.
std::unique_ptr<Model> make_model(const config::Config& config, Weights weights, std::int64_t batch,
                                  ImageShape image, const DeviceAssignment& assignment,
                                  Prepared prepared = {});

/// Facts besides the job on which the bits of the backbone's features depend. "winograd" for polyhead's
/// engine, whose bits are the same on every processor. Elsewhere LibTorch's version, variables, and the facts
/// by which its kernels are chosen: vendor, vector instruction sets and caches of the processor, or the GPU
/// and its libraries.
std::string backbone_fingerprint(const config::Backbone& backbone, const DeviceAssignment& assignment);

/// Fingerprint of the heads' scores: "polyhead" for heads of linear layers, ReLU and batch norm; for other
/// layers also LibTorch's.
std::string heads_fingerprint(const config::Config& config, const DeviceAssignment& assignment);

/// Both fingerprints in one, as files of the former form hold it; it named the instruction sets of polyhead's
/// engine and the GPU's driver.
std::string former_engine_fingerprint(const config::Backbone& backbone, const DeviceAssignment& assignment);

/// "2.15.0"
std::string libtorch_version();

}  // namespace polyhead::model
