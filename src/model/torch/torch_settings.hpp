#pragma once

namespace polyhead::model {

/// Sets LibTorch's process-wide switches: `threads` for compute; fp32 that is fp32 (no TF32, no bf16 inside);
/// deterministic algorithms, chosen without timing trials. Variables that these look at:
/// `settle_environment`.
void apply_torch_settings(int threads);

}  // namespace polyhead::model
