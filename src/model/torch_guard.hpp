#pragma once

#include <new>
#include <string>

#include <c10/util/Exception.h>

#include "polyhead/base/error.hpp"

namespace polyhead::model {

/// Runs `work`, and once more where the GPU has no memory left: after `release`, which gives back what
/// LibTorch keeps for reuse, in pieces that may all be too small.
template <class Work, class Release>
void with_second_try(Work work, Release release) {
  try {
    return work();
  } catch (const c10::OutOfMemoryError&) {  // left before the second try: it may hold tensors
  }
  release();
  work();
}

/// Runs `work` and turns what LibTorch throws into an Error whose text begins with `what`.
template <class Work>
auto guarded(const std::string& what, Work work) {
  try {
    return work();
  } catch (const c10::OutOfMemoryError& error) {
    throw Error(ExitCode::unavailable, what +
                                           ": the GPU is out of memory; choose a smaller parallel.batch (" +
                                           error.what_without_backtrace() + ")");
  } catch (const c10::Error& error) {
    throw Error(ExitCode::internal, what + ": " + error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    throw Error(ExitCode::unavailable, what + ": out of memory; choose a smaller parallel.batch");
  }
}

}  // namespace polyhead::model
