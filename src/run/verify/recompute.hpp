#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "polyhead/data/loader.hpp"
#include "polyhead/run/inputs.hpp"
#include "run/worker/pipeline.hpp"

namespace polyhead::run {

/// Computes micro-batches one after the other in this process, as a rank of a run does, with all heads.
class Recompute {
 public:
  /// `inputs` must outlive it. Throws Error when the device is unavailable or the data cannot be opened.
  Recompute(const Inputs& inputs, const model::DeviceAssignment& assignment,
            std::vector<std::int64_t> batches);

  /// Rows of the next of `batches`. Throws what reading throws.
  store::Rows next();

 private:
  void ask_ahead();

  const Inputs& inputs_;
  std::unique_ptr<model::Model> model_;
  Pipeline pipeline_;
  std::vector<std::int64_t> batches_;
  std::size_t asked_ = 0;
  std::size_t taken_ = 0;
  std::unique_ptr<data::Loader> loader_;
};

/// Device of this process when it is the only one. A file with the fingerprint of this host's CPU is computed
/// again there, even beside a GPU, unless `parallel` names the device.
model::DeviceAssignment place_alone(const config::Config& config, const std::string& fingerprint);

}  // namespace polyhead::run
