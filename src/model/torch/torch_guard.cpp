#include "torch_guard.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace polyhead::model {
namespace {

template <std::size_t N>
bool has_any(std::string_view text, const std::array<std::string_view, N>& parts) {
  return std::ranges::any_of(parts, [&](std::string_view part) { return text.find(part) != text.npos; });
}

// Errors without a type in LibTorch, with cuDNN's names of versions 8 and 9.
constexpr std::array<std::string_view, 4> kMemory{"CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED",
                                                  "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
                                                  "CUDA error: out of memory"};
constexpr std::array<std::string_view, 1> kEngine{"unable to find an engine to execute this computation"};
// Errors of a broken GPU, without those that a wrong call of ours causes.
constexpr std::array<std::string_view, 7> kBroken{
    "CUBLAS_STATUS_EXECUTION_FAILED", "CUBLAS_STATUS_INTERNAL_ERROR",  "CUBLAS_STATUS_MAPPING_ERROR",
    "CUBLAS_STATUS_NOT_INITIALIZED",  "CUDNN_STATUS_EXECUTION_FAILED", "CUDNN_STATUS_INTERNAL_ERROR",
    "CUDNN_STATUS_NOT_INITIALIZED"};
constexpr std::array<std::string_view, 1> kKernels{"no kernel image is available"};

}  // namespace

TorchFailure failure_of(const c10::Error& error) {
  const std::string_view text = error.what_without_backtrace();
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr || has_any(text, kMemory))
    return TorchFailure::memory;
  if (has_any(text, kEngine)) return TorchFailure::engine;
  if (has_any(text, kKernels)) return TorchFailure::kernels;
  const bool broken = dynamic_cast<const c10::AcceleratorError*>(&error) != nullptr || has_any(text, kBroken);
  return broken ? TorchFailure::gpu : TorchFailure::other;
}

void throw_failure(const std::string& what, const c10::Error& error) {
  const std::string said = std::string(" (") + error.what_without_backtrace() + ")";
  switch (failure_of(error)) {
    case TorchFailure::memory:
      throw Error(ExitCode::unavailable,
                  what + ": the GPU is out of memory; choose a smaller parallel.batch" + said);
    case TorchFailure::engine:
      throw Error(ExitCode::unavailable,
                  what +
                      ": cuDNN found no algorithm: the GPU may be out of memory (choose a smaller "
                      "parallel.batch), or this cuDNN has no deterministic one for images of this size" +
                      said);
    case TorchFailure::gpu:
      throw Error(ExitCode::unavailable,
                  what + ": the GPU failed; the kernel's log (dmesg, \"NVRM: Xid\") may say why" + said);
    case TorchFailure::kernels:
      throw Error(ExitCode::config,
                  what +
                      ": this LibTorch has no kernels for the GPU; use a LibTorch that has, another GPU, or "
                      "parallel.device: cpu" +
                      said);
    default:
      throw Error(ExitCode::internal, what + ": " + error.what_without_backtrace());
  }
}

}  // namespace polyhead::model
