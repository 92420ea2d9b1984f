#pragma once

#include <string>

#include "polyhead/base/error.hpp"

namespace polyhead::device {

inline constexpr const char* kNoCuda = "polyhead was built without CUDA";

[[noreturn]] inline void fail_without_cuda() {
  throw Error(ExitCode::config, std::string("no GPU can be used: ") + kNoCuda);
}

}  // namespace polyhead::device
