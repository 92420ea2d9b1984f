#include "polyhead/run/looks.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "bad_samples.hpp"
#include "polyhead/base/cpu.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/stop.hpp"
#include "polyhead/base/team.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/data/look.hpp"
#include "polyhead/data/reader.hpp"
#include "polyhead/plan/threads.hpp"
#include "run/display/shown_value.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t kAtOnce = 1024;  ///< samples between two checks of signals and the clock
constexpr std::int64_t kLabelsPerLook = 1 << 20;
constexpr int kOpeners = 16;  ///< threads that open files: they wait for servers, not for cores
constexpr std::size_t kShownBad = 20;

/// Number of threads that a rank with all cores would use.
int decoding_threads(const Inputs& inputs, std::int64_t samples) {
  const int cores = plan::threads_for({{"here", affinity_cores(), cgroup_cpu_quota()}}, 0);
  const int workers = plan::workers_for(inputs.config.data.workers, cores);
  return static_cast<int>(std::min<std::int64_t>(workers, samples));
}

/// Whether a path differs from the last one: the samples of a shard are neighbours.
class FirstOfFile {
 public:
  bool operator()(const std::string& path) {
    if (path == last_) return false;
    last_ = path;
    return true;
  }

 private:
  std::string last_;
};

/// Search that divides samples among threads, block by block; its results are in order.
class Search {
 public:
  Search(int threads, std::int64_t samples, ProgressStyle progress)
      : team_(threads), progress_(progress, samples) {}

  [[nodiscard]] int threads() const { return team_.threads(); }

  /// Calls `look(item, thread)` for each of `items`, which stand for the samples before `done`.
  template <class Look>
  void block(std::int64_t items, std::int64_t done, const Look& look) {
    throw_if_stop_asked();
    team_.run(static_cast<int>(items), [&](int item, int thread) {
      try {
        look(std::int64_t{item}, thread);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        error_ = std::current_exception();
      }
    });
    if (error_) std::rethrow_exception(error_);
    progress_.update(done);
  }

  void found(std::int64_t sample, Reason reason) {
    if (reason == Reason::none) return;
    const std::lock_guard lock(mutex_);
    looked_.bad.push_back({sample, reason});
  }

  /// Ends the search. `count`: samples or files that were examined.
  Looked finish(std::int64_t count) {
    progress_.finish();
    looked_.count = count;
    std::ranges::sort(looked_.bad, {}, &BadSample::sample);
    looked_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    return std::move(looked_);
  }

 private:
  Clock::time_point start_ = Clock::now();
  Team team_;
  Progress progress_;
  std::mutex mutex_;
  std::exception_ptr error_;
  Looked looked_;
};

/// Reads samples in its own thread, into its own buffer.
class Decoder {
 public:
  explicit Decoder(const Inputs& inputs)
      : inputs_(inputs),
        reader_(data::open_reader(inputs.config.data, inputs.shape)),
        bytes_(reader_->gives_bytes()),
        pixels_(static_cast<std::size_t>(reader_->grain() * inputs.shape.image.values())),
        reasons_(static_cast<std::size_t>(reader_->grain())) {}

  [[nodiscard]] std::int64_t grain() const { return reader_->grain(); }

  /// Reasons of samples [first, first + count), at most `grain` of them.
  std::span<const Reason> operator()(std::int64_t first, std::int64_t count) {
    const auto values = static_cast<std::size_t>(inputs_.shape.image.values());
    const auto pixels = std::span(pixels_).first(static_cast<std::size_t>(count) * values);
    const auto reasons = std::span(reasons_).first(static_cast<std::size_t>(count));
    reader_->read(first, inputs_.dataset->locations(first, count), pixels, reasons);
    for (std::size_t i = 0; !bytes_ && i < reasons.size(); ++i) {
      if (reasons[i] == Reason::none && !finite(pixels.subspan(i * values, values)))
        reasons[i] = Reason::score_not_finite;
    }
    return reasons;
  }

 private:
  static bool finite(std::span<const float> pixels) {
    return std::ranges::all_of(pixels, [](float value) { return std::isfinite(value); });
  }

  const Inputs& inputs_;
  std::unique_ptr<data::SampleReader> reader_;
  bool bytes_;  ///< pixels come from bytes, so all are finite
  std::vector<float> pixels_;
  std::vector<Reason> reasons_;
};

std::string reason_text(Reason reason) {
  return std::string(reason == Reason::score_not_finite ? "a pixel is NaN or infinite" : describe(reason));
}

/// Text "the file is empty: 3, damaged: the decoder gave up: 2".
std::string counts_of(const std::vector<BadSample>& bad) {
  std::map<Reason, std::int64_t> counts;
  for (const BadSample& one : bad) ++counts[one.reason];
  std::vector<std::string> texts;
  for (const auto& [reason, count] : counts)
    texts.push_back(fmt::format("{} ({})", reason_text(reason), count));
  return join(texts, "; ");
}

/// List with one sample per line; where they are many, also the counts of all reasons.
std::string list_of(const Inputs& inputs, const std::vector<BadSample>& bad) {
  std::string text;
  for (std::size_t i = 0; i < std::min(bad.size(), kShownBad); ++i) {
    text += fmt::format("\n  sample {}, '{}': {}", bad[i].sample,
                        printable(inputs.dataset->sample_id(bad[i].sample)), reason_text(bad[i].reason));
  }
  if (bad.size() > kShownBad)
    text += fmt::format("\n  and {} more; all of them: {}", bad.size() - kShownBad, counts_of(bad));
  return text;
}

/// Knowledge about the data set after some looks.
struct Verdict {
  std::vector<BadSample> bad;  ///< samples known to be bad, ascending
  Looked decoded;

  void add(const Looked& looked) {
    const std::vector<BadSample> before = std::exchange(bad, {});
    std::ranges::set_union(before, looked.bad, std::back_inserter(bad), {}, &BadSample::sample,
                           &BadSample::sample);
  }
};

std::string limit_text(const config::BadLimit& limit) {
  return limit.count ? fmt::format("{}", *limit.count) : fmt::format("{:.4g}%", 100 * limit.share);
}

[[noreturn]] void fail(const Inputs& inputs, const std::string& found, const std::vector<BadSample>& bad,
                       const std::string& advice) {
  throw Error(
      ExitCode::bad_data,
      fmt::format("{}: {} cannot be used, data.max_bad allows {}{}\n{}", inputs.config.data.path.string(),
                  found, limit_text(inputs.config.data.max_bad), list_of(inputs, bad), advice));
}

/// Fails where so many are bad already that a run would stop.
void fail_if_too_many(const Inputs& inputs, const Verdict& verdict) {
  const std::int64_t samples = inputs.shape.size;
  const auto bad = static_cast<std::int64_t>(verdict.bad.size());
  if (bad <= inputs.config.data.max_bad.of(samples)) return;
  const bool all = verdict.decoded.count == samples;
  fail(inputs, fmt::format("{}{} of {} samples", all ? "" : "at least ", bad, samples), verdict.bad,
       all ? fmt::format("Mend them or leave them out; the smallest limit that passes is `data.max_bad: {}`",
                         max_bad_for(bad, samples))
           : "Mend them or leave them out; `polyhead check --images` decodes all and gives the smallest "
             "data.max_bad that passes");
}

/// Fails where some samples predict too many. They are evenly spread, so the others are expected to have the
/// same share.
void fail_if_too_many_of_some(const Inputs& inputs, const Looked& some) {
  const double allowed = static_cast<double>(inputs.config.data.max_bad.of(inputs.shape.size)) /
                         static_cast<double>(inputs.shape.size);
  const auto bad = static_cast<double>(some.bad.size());
  if (bad <= allowed * static_cast<double>(some.count)) return;
  fail(inputs, fmt::format("{} of the {} images looked at", some.bad.size(), some.count), some.bad,
       fmt::format("About {:.0f} of all {} are to be expected; `polyhead check --images` decodes all and "
                   "gives the smallest data.max_bad that passes",
                   bad / static_cast<double>(some.count) * static_cast<double>(inputs.shape.size),
                   inputs.shape.size));
}

/// Largest output that a label stands for; -1 without labels.
std::int32_t largest_label(Inputs& inputs) {
  std::int32_t largest = -1;
  std::vector<std::int32_t> labels;
  for (std::int64_t first = 0; inputs.dataset->labelled() && first < inputs.shape.size;
       first += kLabelsPerLook) {
    labels.resize(static_cast<std::size_t>(std::min(kLabelsPerLook, inputs.shape.size - first)));
    inputs.read_labels(first, labels);
    largest = std::max(largest, *std::ranges::max_element(labels));
  }
  return largest;
}

/// Warns where labels without names may be numbers of other classes than the heads'.
void compare_classes(Inputs& inputs, const LookOptions& options) {
  const config::ClassMap& map = inputs.config.data.classes;
  const bool said = !map.entries.empty() || !map.file.empty() || !inputs.labels.output_names().empty();
  if (said) return;  // compared by name, or as the user wants it
  const std::int64_t classes = inputs.weights.classes;
  const std::int64_t seen = std::int64_t{largest_label(inputs)} + 1;
  if (seen == 0 || 2 * seen > classes) return;
  options.say(
      fmt::format("warning: the labels are numbers from 0 to {}, but the heads give {} scores: if "
                  "the labels count other classes than the heads do, accuracies will be wrong; say with "
                  "data.classes which output each label is",
                  seen - 1, classes));
}

std::string in_time(double seconds) {
  return fmt::format("in {}", human_seconds(seconds));
}

}  // namespace

Looked open_files(const Inputs& inputs, ProgressStyle progress) {
  const data::Dataset& dataset = *inputs.dataset;
  if (dataset.locations(0, 1).empty()) return {};
  const std::uint64_t largest = inputs.config.data.max_file_size;
  Search search(kOpeners, dataset.size(), progress);
  FirstOfFile is_first;
  std::int64_t files = 0;
  for (std::int64_t first = 0; first < dataset.size(); first += kAtOnce) {
    const std::int64_t count = std::min(kAtOnce, dataset.size() - first);
    const std::vector<data::Location> places = dataset.locations(first, count);
    std::vector<std::int64_t> wanted;
    for (std::int64_t i = 0; i < count; ++i)
      if (is_first(places[static_cast<std::size_t>(i)].path)) wanted.push_back(i);
    search.block(static_cast<std::int64_t>(wanted.size()), first + count, [&](std::int64_t item, int) {
      const std::int64_t i = wanted[static_cast<std::size_t>(item)];
      search.found(first + i, data::look_at_file(places[static_cast<std::size_t>(i)], largest));
    });
    files += static_cast<std::int64_t>(wanted.size());
  }
  return search.finish(files);
}

Looked decode_images(const Inputs& inputs, bool all, ProgressStyle progress) {
  const std::int64_t size = inputs.shape.size;
  const std::vector<std::int64_t> some = data::digested_samples(size);
  const auto few = static_cast<std::int64_t>(some.size());
  Search search(decoding_threads(inputs, all ? size : few), all ? size : few, progress);
  std::vector<Decoder> decoders;
  for (int i = 0; i < search.threads(); ++i) decoders.emplace_back(inputs);
  const auto look = [&](std::int64_t first, std::int64_t count, int thread) {
    for (const Reason reason : decoders[static_cast<std::size_t>(thread)](first, count))
      search.found(first++, reason);
  };
  if (!all) {
    search.block(few, few, [&](std::int64_t item, int thread) {
      look(some[static_cast<std::size_t>(item)], 1, thread);
    });
    return search.finish(few);
  }
  const std::int64_t grain = decoders.front().grain();
  const std::int64_t step = grain * std::max<std::int64_t>(1, kAtOnce / grain);
  for (std::int64_t first = 0; first < size; first += step) {
    const std::int64_t end = std::min(size, first + step);
    search.block((end - first + grain - 1) / grain, end, [&](std::int64_t item, int thread) {
      const std::int64_t from = first + item * grain;
      look(from, std::min(grain, end - from), thread);
    });
  }
  return search.finish(size);
}

void look_at_data(Inputs& inputs, const LookOptions& options) {
  compare_classes(inputs, options);
  Verdict verdict;
  if (!options.all_images) {
    const Looked opened = open_files(inputs, options.progress);
    if (opened.count > 0)
      options.say(fmt::format("{} opened {}", counted(opened.count, "file"), in_time(opened.seconds)));
    verdict.add(opened);
  }
  verdict.decoded = decode_images(inputs, options.all_images, options.progress);
  verdict.add(verdict.decoded);
  options.say(fmt::format("{} decoded {}", counted(verdict.decoded.count, "image"),
                          in_time(verdict.decoded.seconds)));
  fail_if_too_many(inputs, verdict);
  if (verdict.decoded.count < inputs.shape.size) fail_if_too_many_of_some(inputs, verdict.decoded);
  if (verdict.bad.empty()) return;
  options.say(fmt::format("{} of {} samples cannot be used, as data.max_bad ({}) allows:{}",
                          verdict.bad.size(), inputs.shape.size, limit_text(inputs.config.data.max_bad),
                          list_of(inputs, verdict.bad)));
}

}  // namespace polyhead::run
