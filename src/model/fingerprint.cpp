#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include <ATen/Version.h>
#include <fmt/format.h>
#include <torch/version.h>

#include "polyhead/base/text.hpp"
#include "polyhead/kernels/isa.hpp"
#include "polyhead/model/model.hpp"
#include "torch_device.hpp"

namespace polyhead::model {
namespace {

/// Variables that make MKL or oneDNN pick other kernels, with other bits.
constexpr std::array kVariables{"ONEDNN_MAX_CPU_ISA",       "DNNL_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE",
                                "DNNL_DEFAULT_FPMATH_MODE", "MKL_CBWR",         "MKL_ENABLE_INSTRUCTIONS"};

std::string cpu_engine() {
  std::vector<std::string> parts{fmt::format("kernels {}", at::get_cpu_capability())};
  for (const char* variable : kVariables) {
    if (const char* value = std::getenv(variable)) parts.push_back(fmt::format("{}={}", variable, value));
  }
  return join(parts, "; ");
}

}  // namespace

std::string libtorch_version() {
  return TORCH_VERSION;
}

std::string engine_fingerprint(const config::Backbone& backbone, const Placement& placement) {
  std::vector<std::string> parts{fmt::format("LibTorch {}", libtorch_version())};
  const auto own = [&](const char* what) {
    parts.push_back(fmt::format("{} {}", what, kernels::name(*kernels::best_isa())));
  };
  if (engine_of(backbone, placement) == config::Engine::winograd) own("backbone winograd");
  if (batches_heads(backbone, placement)) own("heads");
  parts.push_back(placement.cuda ? cuda_engine(placement.device) : cpu_engine());
  return join(parts, "; ");
}

}  // namespace polyhead::model
