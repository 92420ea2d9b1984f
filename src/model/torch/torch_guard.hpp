#pragma once

#include <new>
#include <string>

#include <c10/util/Exception.h>

#include "polyhead/base/error.hpp"

namespace polyhead::model {

/// What an error of LibTorch's means for the user.
enum class TorchFailure {
  memory,   ///< the GPU's is full
  engine,   ///< cuDNN found no algorithm: for want of memory, mostly
  gpu,      ///< broken, lost or taken by others: another one may do
  kernels,  ///< LibTorch has none for this kind of GPU
  other,
};
TorchFailure failure_of(const c10::Error& error);

/// Throws the Error for it, whose text begins with `what`.
[[noreturn]] void throw_failure(const std::string& what, const c10::Error& error);

/// Runs `work`, and once more where the GPU has no memory left: after `release`, which gives back what
/// LibTorch keeps for reuse, in pieces that may all be too small.
template <class Work, class Release>
void with_second_try(Work work, Release release) {
  try {
    return work();
  } catch (const c10::Error& error) {  // left before the second try: it may hold tensors
    const TorchFailure failure = failure_of(error);
    if (failure != TorchFailure::memory && failure != TorchFailure::engine) throw;
  }
  release();
  work();
}

/// Runs `work` and turns what LibTorch throws into an Error whose text begins with `what`.
template <class Work>
auto guarded(const std::string& what, Work work) {
  try {
    return work();
  } catch (const c10::Error& error) {
    throw_failure(what, error);
  } catch (const std::bad_alloc&) {
    throw Error(ExitCode::unavailable, what + ": out of memory; choose a smaller parallel.batch");
  }
}

}  // namespace polyhead::model
