#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/base/sample.hpp"
#include "polyhead/run/inputs.hpp"
#include "polyhead/run/progress.hpp"

/// What `polyhead check` looks at beyond what a run checks before its work.
namespace polyhead::run {

struct LookOptions {
  bool all_images = false;  ///< decode every image, not only the digested ones
  ProgressStyle progress = ProgressStyle::automatic;
  std::function<void(const std::string&)> say;  ///< takes one line for each look, with its time
};

/// A sample that a run would quarantine.
struct BadSample {
  std::int64_t sample = 0;
  Reason reason = Reason::none;
  friend bool operator==(const BadSample&, const BadSample&) = default;
};

/// What one look has found.
struct Looked {
  std::int64_t count = 0;      ///< samples or files that were looked at
  std::vector<BadSample> bad;  ///< ascending
  double seconds = 0;
};

/// Opens the file of every sample, each file once where samples are parts of it, without reading any bytes.
/// Nothing to do for formats that keep all samples in one file. Throws Error.
Looked open_files(const Inputs& inputs, ProgressStyle progress);

/// Reads, decodes and preprocesses samples as a rank does, in all cores' threads: those of
/// `data::digested_samples`, or all. Pixels that are not finite count as bad. Throws Error.
Looked decode_images(const Inputs& inputs, bool all, ProgressStyle progress);

/// All looks at the data, one after the other, with a line for each. Labels that may count other classes than
/// the heads do, and fewer bad samples than `data.max_bad` allows, are told in further lines. Throws
/// Error(bad_data) when a run would stop because of them, or would probably: when more of the samples looked
/// at are bad than `data.max_bad` allows of as many. The text names up to 20 of them, and the smallest
/// `data.max_bad` that passes where all were looked at. Throws Error(preempted) when a stop was asked for.
void look_at_data(Inputs& inputs, const LookOptions& options);

}  // namespace polyhead::run
