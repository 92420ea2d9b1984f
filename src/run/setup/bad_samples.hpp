#pragma once

#include <cstdint>
#include <string>

#include "polyhead/base/error.hpp"

namespace polyhead::run {

/// Value of `data.max_bad` that lets `count` of `samples` be quarantined: "18". A share where a number of
/// samples cannot express it: "0.02", "100%".
std::string max_bad_for(std::int64_t count, std::int64_t samples);

/// Number of samples that a run has looked at, and their results.
struct BadSamples {
  std::int64_t quarantined = 0;
  std::int64_t finished = 0;  ///< number of finished samples, including the quarantined ones
  std::int64_t samples = 0;   ///< number of samples in the job
};

/// Expected number of quarantined samples at the end, at the present rate; at least the present number.
std::int64_t expected_bad(const BadSamples& bad);

/// Text "--set data.max_bad=18": the smallest value with which the run can be expected to finish.
std::string advised_option(const BadSamples& bad);

/// Error when more samples are quarantined than `data.max_bad` allows.
class TooManyBad : public Error {
 public:
  TooManyBad(const std::string& message, const BadSamples& bad)
      : Error(ExitCode::bad_data, message), option_(advised_option(bad)) {}
  /// Option that the next run needs.
  [[nodiscard]] const std::string& option() const { return option_; }

 private:
  std::string option_;
};

}  // namespace polyhead::run
