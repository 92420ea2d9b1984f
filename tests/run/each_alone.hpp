#pragma once

#include <functional>
#include <utility>

#include "run/worker/step_computer.hpp"

namespace polyhead::run::testing {

/// Computes one micro-batch by itself.
using Compute = std::function<store::Rows(const data::Batch& batch)>;

/// A rank that shares no heads: each micro-batch is finished at once.
class EachAlone final : public StepComputer {
 public:
  explicit EachAlone(Compute compute) : compute_(std::move(compute)) {}
  void step(const plan::Step& /*step*/, std::span<const data::Batch> read, const Deliver& deliver) override {
    for (const data::Batch& batch : read) deliver(compute_(batch));
  }
  void drain(const Deliver& /*deliver*/) override {}
  void ask_to_stop() override { stopped_ = true; }
  [[nodiscard]] bool stopped() const override { return stopped_; }

 private:
  Compute compute_;
  bool stopped_ = false;
};

}  // namespace polyhead::run::testing
