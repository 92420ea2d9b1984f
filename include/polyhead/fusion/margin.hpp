#pragma once

#include <span>

namespace polyhead::fusion {

/// Margin of one sample: its highest fused score minus the second highest, 0 at a tie. `fused`: fp32 [C],
/// finite. NaN where there is only one class. The difference is rounded once, to fp32.
float margin(std::span<const float> fused);

}  // namespace polyhead::fusion
