#pragma once

#include <cstddef>
#include <span>

#include "polyhead/base/team.hpp"
#include "polyhead/kernels/isa.hpp"

namespace polyhead::kernels {

/// Number of samples in a panel, which linear layers compute at once. Their values lie together:
/// [panel][channel][sample of the panel]. Where a micro-batch ends within its last panel, the rest of the
/// panel is unspecified.
int panel_of(Isa isa);
int panels_of(Isa isa, int samples);

/// Converts [sample][channel] to panels, and back.
void to_panels(Isa isa, std::span<const float> rows, int channels, float* panels);
void from_panels(Isa isa, const float* panels, int channels, std::span<float> rows);

/// A linear layer for a micro-batch.
struct LinearCall {
  const float* weight = nullptr;  ///< [out][in], as frameworks store it
  const float* bias = nullptr;    ///< [out]
  int in = 0;
  int out = 0;
  bool relu = false;         ///< applied to the result, keeping NaN
  const float* x = nullptr;  ///< panels of `in` channels
  float* y = nullptr;        ///< panels of `out` channels
};

/// Computes all calls in one, shared out over the team by rows of weights. A sum runs over the inputs one by
/// one. So its bits depend neither on the other calls, the other samples, threads nor the instruction set.
/// Throws Error(internal) where the processor does not have `isa`.
void compute(Isa isa, std::span<const LinearCall> calls, int panels, Team& team);

}  // namespace polyhead::kernels
