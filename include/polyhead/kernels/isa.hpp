#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace polyhead::kernels {

/// Vector instruction sets that the engine supports.
enum class Isa { avx2, avx512 };

/// "avx2", "avx512"
std::string_view name(Isa isa);

/// Instruction sets that this processor can run, the fastest last: AVX2 with FMA, AVX-512 F. All give the
/// same bits.
std::vector<Isa> usable_isas();

/// Fastest instruction set that this processor can run; empty where there is none.
std::optional<Isa> best_isa();

}  // namespace polyhead::kernels
