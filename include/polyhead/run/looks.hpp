#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/base/sample.hpp"
#include "polyhead/run/inputs.hpp"
#include "polyhead/run/progress.hpp"

/// Checks of `polyhead check` beyond those of a run before its work.
namespace polyhead::run {

struct LookOptions {
  bool all_images = false;  ///< decode every image, not only the digested ones
  ProgressStyle progress = ProgressStyle::automatic;
  std::function<void(const std::string&)> say;  ///< takes one line per look, with its time
};

/// A sample that a run would quarantine.
struct BadSample {
  std::int64_t sample = 0;
  Reason reason = Reason::none;
  friend bool operator==(const BadSample&, const BadSample&) = default;
};

/// Findings of one look.
struct Looked {
  std::int64_t count = 0;      ///< number of samples or files that were looked at
  std::vector<BadSample> bad;  ///< ascending
  double seconds = 0;
};

/// Opens the file of every sample without reading any bytes; each file once where samples are parts of it.
/// Does nothing for formats that keep all samples in one file. Throws Error.
Looked open_files(const Inputs& inputs, ProgressStyle progress);

/// Reads, decodes and preprocesses samples as a rank does, with threads on all cores: those of
/// `data::digested_samples`, or all. Pixels that are not finite count as bad. Throws Error.
Looked decode_images(const Inputs& inputs, bool all, ProgressStyle progress);

/// All looks at the data, one after the other, with one line each. Further lines report labels that may count
/// other classes than the heads do, and bad samples within `data.max_bad`. Throws Error(bad_data) when a run
/// would stop because of bad samples, or would probably: more of the examined samples are bad than
/// `data.max_bad` allows of as many. The text names up to 20 of them, and the smallest `data.max_bad` that
/// passes where all were examined. Throws Error(preempted) when a stop was asked for.
void look_at_data(Inputs& inputs, const LookOptions& options);

}  // namespace polyhead::run
