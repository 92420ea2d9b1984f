#pragma once

#include <cstdint>
#include <string>

#include "polyhead/base/error.hpp"

namespace polyhead::run {

/// What `data.max_bad` has to be so that `count` of `samples` may be quarantined: "18", or a share where that
/// cannot be written as a number of samples: "0.02", "100%".
std::string max_bad_for(std::int64_t count, std::int64_t samples);

/// How many samples a run has looked at, and what became of them.
struct BadSamples {
  std::int64_t quarantined = 0;
  std::int64_t finished = 0;  ///< the quarantined ones among them
  std::int64_t samples = 0;   ///< of the job
};

/// How many will be quarantined in the end if it goes on at this rate; at least those that are.
std::int64_t expected_bad(const BadSamples& bad);

/// "--set data.max_bad=18": the smallest with which the run can be expected to go on to its end.
std::string advised_option(const BadSamples& bad);

/// More samples are quarantined than `data.max_bad` allows.
class TooManyBad : public Error {
 public:
  TooManyBad(const std::string& message, const BadSamples& bad)
      : Error(ExitCode::bad_data, message), option_(advised_option(bad)) {}
  /// What the next run needs to go on.
  [[nodiscard]] const std::string& option() const { return option_; }

 private:
  std::string option_;
};

}  // namespace polyhead::run
