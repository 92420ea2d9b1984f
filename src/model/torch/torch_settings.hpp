#pragma once

namespace polyhead::model {

/// Sets LibTorch's process-wide switches. `threads`: for compute. fp32 is true fp32 (no TF32, no bf16
/// inside). Algorithms are deterministic and chosen without timing trials. For the environment variables that
/// these settings read, see `settle_environment`.
void apply_torch_settings(int threads);

}  // namespace polyhead::model
