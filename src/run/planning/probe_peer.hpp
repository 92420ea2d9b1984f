#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "polyhead/base/aligned.hpp"
#include "polyhead/data/loader.hpp"
#include "polyhead/model/model.hpp"
#include "polyhead/run/inputs.hpp"
#include "run/worker/pipeline.hpp"

namespace polyhead::run {

/// A rank's equipment for timing its parts: a model with all heads, and a loader. The loader begins at
/// micro-batch `first` and continues at the start after the last one.
class ProbePeer {
 public:
  /// `inputs` must outlive it. Reads one micro-batch.
  ProbePeer(const Inputs& inputs, const model::DeviceAssignment& assignment, std::int64_t first);

  // Parts of the work, each for one micro-batch.
  void read();
  void compute_features();
  void compute_heads();
  void compute();
  void read_and_compute();

  /// Number of micro-batches read ahead.
  [[nodiscard]] std::int64_t ahead() const { return ahead_; }
  /// Seconds to make the model.
  [[nodiscard]] double equip() const { return equip_; }

 private:
  using Clock = std::chrono::steady_clock;

  void open_loader(const model::DeviceAssignment& assignment);
  void request();
  data::Batch take();

  const Inputs& inputs_;
  std::int64_t batch_;
  std::int64_t next_;
  std::int64_t ahead_ = 0;
  Clock::time_point start_ = Clock::now();
  std::unique_ptr<model::Model> model_;
  Pipeline pipeline_;
  double equip_ = std::chrono::duration<double>(Clock::now() - start_).count();
  AlignedVector<float> features_;
  AlignedVector<float> logits_;
  std::unique_ptr<data::Loader> loader_;
  data::Batch example_;
};

}  // namespace polyhead::run
