#pragma once

#include <cstdint>
#include <string_view>

namespace polyhead {

/// A sample's state in the result file (`/samples/status`). The numbers are part of the file format.
enum class SampleStatus : std::uint8_t { pending = 0, done = 1, quarantined = 2 };

/// Why a sample was quarantined (`/samples/reason`). The numbers are part of the file format: append only.
enum class Reason : std::uint8_t {
  none = 0,
  score_not_finite = 1,    ///< a head gave NaN or infinity
  score_out_of_range = 2,  ///< weight x score is beyond 2^20, which the exact sum cannot hold
};

/// One line for `polyhead info` and the log.
constexpr std::string_view describe(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "none";
    case Reason::score_not_finite:
      return "a head's score is NaN or infinite";
    case Reason::score_out_of_range:
      return "weight x score is beyond 2^20";
  }
  return "unknown reason (written by a newer polyhead)";
}

}  // namespace polyhead
