#pragma once

#include <new>
#include <string>

#include <c10/util/Exception.h>

#include "polyhead/base/error.hpp"

namespace polyhead::model {

/// Meaning of an error of LibTorch for the user.
enum class TorchFailure {
  memory,   ///< GPU memory is full
  engine,   ///< cuDNN found no algorithm, mostly for lack of memory
  gpu,      ///< GPU is broken, lost or taken by others: another one may work
  kernels,  ///< LibTorch has no kernels for this kind of GPU
  other,
};
TorchFailure failure_of(const c10::Error& error);

/// Throws the Error for this failure; its text begins with `what`.
[[noreturn]] void throw_failure(const std::string& what, const c10::Error& error);

/// Runs `work`, and repeats it once if the GPU is out of memory. In between, `release` frees what LibTorch
/// keeps for reuse, in pieces that may all be too small.
template <class Work, class Release>
void with_second_try(Work work, Release release) {
  try {
    return work();
  } catch (const c10::Error& error) {  // the handler ends before the second try: the error may hold tensors
    const TorchFailure failure = failure_of(error);
    if (failure != TorchFailure::memory && failure != TorchFailure::engine) throw;
  }
  release();
  work();
}

/// Runs `work` and turns LibTorch's exceptions into an Error whose text begins with `what`.
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
