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

/// What one rank has, to try its parts: a model with all heads, and a loader that begins at micro-batch
/// `first` and goes on from the start after the last.
class ProbePeer {
 public:
  /// `inputs` must outlive it. Reads one micro-batch.
  ProbePeer(const Inputs& inputs, const model::DeviceAssignment& assignment, std::int64_t first);

  // Each does its part for one micro-batch.
  void read();
  void compute_features();
  void compute_heads();
  void compute();
  void read_and_compute();

  /// Micro-batches that are read ahead.
  [[nodiscard]] std::int64_t ahead() const { return ahead_; }
  /// Seconds that making the model took.
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
