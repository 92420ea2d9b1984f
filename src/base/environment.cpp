#include "polyhead/base/environment.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include <unistd.h>

#include "polyhead/base/text.hpp"

namespace polyhead {
namespace {

struct Setting {
  const char* name;
  const char* value;
};
/// Settings on which results of `precision: fp32` and of deterministic algorithms depend. Other values would
/// only take precision away, except for the last.
constexpr std::array kSettings{
    Setting{"NVIDIA_TF32_OVERRIDE", "0"},              // cuBLAS and cuDNN themselves; beats LibTorch's flags
    Setting{"TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "0"},  // set to 1 in NVIDIA's containers
    Setting{"CUBLAS_EMULATE_SINGLE_PRECISION", "0"},   // emulates by bf16
    Setting{"ONEDNN_DEFAULT_FPMATH_MODE", "STRICT"},
    Setting{"DNNL_DEFAULT_FPMATH_MODE", "STRICT"},
    Setting{"CUBLAS_WORKSPACE_CONFIG", ":4096:8"}};  // cuBLAS is deterministic only with a fixed workspace

struct Choice {
  Computer computer;
  std::string_view name;  ///< name, or, with a * at its end, a prefix of names
};
/// Variables that a user may have set for a reason, and that must then be equal on all ranks.
constexpr std::array kChoices{Choice{Computer::torch_cpu, "ONEDNN_MAX_CPU_ISA"},
                              Choice{Computer::torch_cpu, "DNNL_MAX_CPU_ISA"},
                              Choice{Computer::torch_cpu, "ONEDNN_CPU_ISA_HINTS"},
                              Choice{Computer::torch_cpu, "DNNL_CPU_ISA_HINTS"},
                              Choice{Computer::torch_cpu, "MKL_CBWR"},
                              Choice{Computer::torch_cpu, "MKL_ENABLE_INSTRUCTIONS"},
                              Choice{Computer::torch_cpu, "MKL_DEBUG_CPU_TYPE"},
                              Choice{Computer::torch_gpu, "TORCH_CUDNN_*"},
                              Choice{Computer::torch_gpu, "TORCH_BLAS_PREFER_CUBLASLT"},
                              Choice{Computer::torch_gpu, "DISABLE_ADDMM_CUDA_LT"},
                              Choice{Computer::torch_gpu, "CUDNN_*"},
                              Choice{Computer::torch_gpu, "CUBLAS*"},
                              Choice{Computer::torch_gpu, "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"},
                              Choice{Computer::libm, "GLIBC_TUNABLES"}};

bool has_name(const Choice& choice, std::string_view name) {
  const bool begins = choice.name.ends_with('*');
  if (begins) return name.starts_with(choice.name.substr(0, choice.name.size() - 1));
  return name == choice.name;
}

bool is_setting(std::string_view name) {
  return std::ranges::any_of(kSettings, [&](const Setting& setting) { return setting.name == name; });
}

/// Variables that change no results: CUDNN_LOGLEVEL_DBG, and those that modules and images set for compilers,
/// CUDNN_VERSION and CUDNN_INCLUDE_DIR.
bool changes_nothing(std::string_view name) {
  constexpr std::array<std::string_view, 9> kWords{"LOG",  "VERSION", "PATH", "HOME",   "ROOT",
                                                   "_DIR", "LIBRAR",  "_LIB", "INCLUDE"};
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return name.find(word) != std::string_view::npos; });
}

/// Tunables of glibc that choose functions for a processor; others concern memory and locks.
std::string cpu_tunables(std::string_view value) {
  std::vector<std::string> kept;
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(':'), value.size());
    const std::string_view part = value.substr(0, end);
    if (part.starts_with("glibc.cpu.")) kept.emplace_back(part);
    value.remove_prefix(std::min(end + 1, value.size()));
  }
  return join(kept, ":");
}

std::string shown(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

}  // namespace

void settle_environment() {
  for (const Setting& setting : kSettings) ::setenv(setting.name, setting.value, 1);
}

std::vector<std::string> variables_of(Computer computer) {
  std::vector<std::string> found;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    const bool counts = std::ranges::any_of(kChoices, [&](const Choice& choice) {
      return choice.computer == computer && has_name(choice, name);
    });
    if (!counts || is_setting(name) || changes_nothing(name)) continue;
    std::string value(text.substr(std::min(name.size() + 1, text.size())));
    if (computer == Computer::libm) value = cpu_tunables(value);
    if (computer == Computer::libm && value.empty()) continue;
    found.push_back(shown(std::string(name) + "=" + value));
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace polyhead
