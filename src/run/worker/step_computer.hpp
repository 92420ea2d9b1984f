#pragma once

#include <functional>
#include <span>

#include "polyhead/data/loader.hpp"
#include "polyhead/plan/steps.hpp"
#include "polyhead/store/rows.hpp"

namespace polyhead::run {

/// Takes the finished rows of one micro-batch.
using Deliver = std::function<void(store::Rows rows)>;

/// Computes a rank's part of its group's steps, from pixels to finished rows. Rows may come a few steps
/// later: the data that ranks exchange travels while they compute the next steps.
class StepComputer {
 public:
  virtual ~StepComputer() = default;
  /// Computes a step. `read`: the micro-batches of the step that this rank has read (`plan::reads`).
  /// `deliver` receives the rows that are finished by now, of this step or earlier ones.
  virtual void step(const plan::Step& step, std::span<const data::Batch> read, const Deliver& deliver) = 0;
  /// Finishes what is under way: no further step comes.
  virtual void drain(const Deliver& deliver) = 0;
  /// Notes that this rank was asked to stop: its group begins only the next few steps.
  virtual void ask_to_stop() = 0;
  /// Whether no step may follow, since a rank of the group was asked to stop. After each step all of them
  /// have one answer: ranks that exchange must end at the same step.
  [[nodiscard]] virtual bool stopped() const = 0;
};

}  // namespace polyhead::run
