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
/// later: what the ranks exchange travels while they compute what is next.
class StepComputer {
 public:
  virtual ~StepComputer() = default;
  /// `read`: the micro-batches of the step that this rank has read (`plan::reads`). Rows that are finished by
  /// now, of this step or earlier ones, go to `deliver`.
  virtual void step(const plan::Step& step, std::span<const data::Batch> read, const Deliver& deliver) = 0;
  /// Finishes what is under way: no further step comes.
  virtual void drain(const Deliver& deliver) = 0;
};

}  // namespace polyhead::run
