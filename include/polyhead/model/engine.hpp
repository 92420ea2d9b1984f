#pragma once

#include <string>

#include "polyhead/config/config.hpp"

/// Choice of the engine that computes the backbone, and its requirements.
namespace polyhead::model {

/// Device on which a rank computes.
struct DeviceAssignment {
  bool cuda = false;
  int device = 0;   ///< CUDA device index
  int threads = 1;  ///< CPU threads for compute
};

/// Engine of the backbone there: `winograd` or `libtorch`, never `automatic`. Throws Error(config) when it
/// must be `winograd`, but is to run on a GPU or a processor without AVX2.
config::Engine engine_of(const config::Backbone& backbone, const DeviceAssignment& assignment);

/// Reason why `automatic` falls back to LibTorch, for a message: "this processor has no AVX2". Empty where it
/// does not.
std::string why_no_winograd(const config::Backbone& backbone, const DeviceAssignment& assignment);

/// Whether the module `kernels` computes the heads' linear layers there, all heads in one call. It does so
/// for every backbone on processors with AVX2, unless `engine` is `libtorch`.
bool batches_heads(const config::Backbone& backbone, const DeviceAssignment& assignment);

}  // namespace polyhead::model
