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
  /// `pixels`: fp32 [batch, 3, H, W]; `features`: fp32 [batch, feature_width]. Both 256-byte aligned, in host
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
                                  ImageShape image, const DeviceAssignment& assignment,
                                  Prepared prepared = {});

/// What the bits of the backbone's features depend on beside the job. "winograd" for the own engine, whose
/// bits are the same on every processor; elsewhere LibTorch's version and what its kernels look at: vendor,
/// vector instruction sets and caches of the processor, or the GPU and its libraries, and variables.
std::string backbone_fingerprint(const config::Backbone& backbone, const DeviceAssignment& assignment);

/// The same of the heads' scores: "polyhead" for heads of linear layers, ReLU and batch norm; of the others
/// also LibTorch's.
std::string heads_fingerprint(const config::Config& config, const DeviceAssignment& assignment);

/// Both in one, as files of the former form hold it, which named the instruction sets of the own
/// engine and the GPU's driver.
std::string former_engine_fingerprint(const config::Backbone& backbone, const DeviceAssignment& assignment);

/// "2.15.0"
std::string libtorch_version();

}  // namespace polyhead::model
