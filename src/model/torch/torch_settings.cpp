#include "torch_settings.hpp"

#include <mutex>

#include <ATen/Context.h>
#include <ATen/Parallel.h>

namespace polyhead::model {
namespace {

void forbid_reduced_precision() {
  using at::Float32Backend;
  using at::Float32Op;
  auto& context = at::globalContext();
  context.setFloat32Precision(Float32Backend::GENERIC, Float32Op::ALL, at::Float32Precision::IEEE);
  for (const auto backend : {Float32Backend::CUDA, Float32Backend::MKLDNN}) {
    for (const auto op : {Float32Op::ALL, Float32Op::CONV, Float32Op::RNN, Float32Op::MATMUL}) {
      context.setFloat32Precision(backend, op, at::Float32Precision::IEEE);
    }
  }
  // Older names of these settings. LibTorch throws where the two disagree, as they do by default.
  context.setFloat32MatmulPrecision("highest");
  context.setAllowTF32CuDNN(false);
}

void make_deterministic() {
  auto& context = at::globalContext();
  context.setDeterministicAlgorithms(true, false);
  context.setDeterministicFillUninitializedMemory(false);  // a debugging aid that costs a write
  context.setDeterministicCuDNN(true);
  context.setDeterministicMkldnn(true);
  context.setBenchmarkCuDNN(false);
}

}  // namespace

void apply_torch_settings(int threads) {
  static std::once_flag once;
  std::call_once(once, [] {
    at::set_num_interop_threads(1);  // throws when called twice
    forbid_reduced_precision();
    make_deterministic();
  });
  at::set_num_threads(threads);
}

}  // namespace polyhead::model
