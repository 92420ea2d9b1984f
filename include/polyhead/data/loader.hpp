#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <memory_resource>
#include <span>
#include <vector>

#include "polyhead/base/aligned.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/data/location.hpp"
#include "polyhead/data/reader.hpp"

namespace polyhead::data {

/// One micro-batch, ready for the backbone.
struct Batch {
  std::int64_t index = 0;         ///< number of the micro-batch
  std::int64_t first_sample = 0;  ///< its first sample
  std::int64_t samples = 0;       ///< real samples; the rest of the pixels is zeros
  AlignedVector<float> pixels;    ///< fp32 [size, 3, H, W], always the full micro-batch; or, instead of it,
  std::pmr::vector<std::uint8_t> bytes;  ///< uint8 [size, H, W, 3], not normalised
  std::vector<Reason> reasons;           ///< one for each real sample
  std::vector<float> features;           ///< instead of both: what the backbone gave in an earlier run
};

/// What the loader's threads have done so far.
struct LoaderFigures {
  double seconds_waited = 0;   ///< by `next`, for data
  double seconds_reading = 0;  ///< reading and decoding, the threads' times added up
};

/// Seconds since some moment that stays the same; called by the loader's threads and the consumer's.
using LoaderClock = std::function<double()>;
double steady_seconds();

/// Reads micro-batches ahead of the consumer, in threads of its own, and delivers them in the order in which
/// they were asked for. The threads share the samples of one micro-batch, so that few are open at a time.
/// Never holds more than `depth` batches (those that the consumer still has not counted).
class Loader {
 public:
  using Readers = std::vector<std::unique_ptr<SampleReader>>;

  /// A thread for each of `readers`. `batch_size`: samples in a micro-batch. `depth`: at least 1. `bytes`: to
  /// deliver bytes, in this memory, instead of normalised pixels; all readers must give them. A GPU wants
  /// them: then the threads have a low priority, so that the one which feeds it need not wait for a core.
  /// `clock`: what the figures are taken with.
  Loader(Readers readers, const DatasetShape& shape, std::int64_t batch_size, std::int64_t depth,
         std::pmr::memory_resource* bytes = nullptr, LoaderClock clock = steady_seconds);
  /// Stops as soon as the samples under way are read; batches that nobody took are dropped.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Asks for micro-batches [first, first + count), whose samples are at `locations` (one each, or none).
  /// Does not block.
  void request(std::int64_t first, std::int64_t count, std::vector<Location> locations = {});
  /// The next micro-batch asked for; blocks until it is there. Rethrows what a reader threw. Throws
  /// Error(internal) when nothing is asked for.
  Batch next();
  /// Micro-batches that are held at most.
  [[nodiscard]] std::int64_t depth() const;
  /// Real samples of micro-batch `index`.
  [[nodiscard]] std::int64_t samples_of(std::int64_t index) const;
  /// Gives a batch's buffers back for reuse.
  void recycle(Batch&& batch);
  [[nodiscard]] LoaderFigures figures() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// How many micro-batches fit into `read_ahead` bytes: at least 2.
std::int64_t read_ahead_depth(std::uint64_t read_ahead, std::int64_t batch_size,
                              std::int64_t bytes_per_image);

}  // namespace polyhead::data
