#pragma once

#include <new>
#include <string>

#include <c10/util/Exception.h>

#include "polyhead/base/error.hpp"

namespace polyhead::model {

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
