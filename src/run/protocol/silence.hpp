#pragma once

#include <algorithm>
#include <chrono>

namespace polyhead::run {

/// Part of the time since the last look that does not count as somebody else's silence. This process, or the
/// whole job, may have been stopped meanwhile, or blocked by a slow disk. A quarter of the time-out always
/// counts, so that a silent process is found however slow this one is.
inline std::chrono::steady_clock::duration not_listened(std::chrono::steady_clock::time_point last_look,
                                                        std::chrono::steady_clock::time_point now,
                                                        std::chrono::milliseconds timeout) {
  return std::max<std::chrono::steady_clock::duration>(now - last_look - timeout / 4, {});
}

}  // namespace polyhead::run
