#include "polyhead/kernels/isa.hpp"

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "table.hpp"

namespace polyhead::kernels {

std::string_view name(Isa isa) {
  return isa == Isa::avx512 ? "avx512" : "avx2";
}

std::vector<Isa> usable_isas() {
  std::vector<Isa> usable;
  for (const Isa isa : {Isa::avx2, Isa::avx512}) {
    if (kernels_of(isa) != nullptr) usable.push_back(isa);
  }
  return usable;
}

std::optional<Isa> best_isa() {
  const std::vector<Isa> usable = usable_isas();
  return usable.empty() ? std::nullopt : std::optional(usable.back());
}

const Kernels& checked_kernels(Isa isa) {
  const Kernels* kernels = kernels_of(isa);
  if (kernels == nullptr) {
    throw Error(ExitCode::internal, fmt::format("this processor does not have {}", name(isa)));
  }
  return *kernels;
}

}  // namespace polyhead::kernels
