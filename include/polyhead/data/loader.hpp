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
  std::int64_t index = 0;                ///< number of the micro-batch
  std::int64_t first_sample = 0;         ///< its first sample
  std::int64_t samples = 0;              ///< real samples; the rest of the pixels is zeros
  AlignedVector<float> pixels;           ///< fp32 [size, 3, H, W], always the full micro-batch; or, instead,
  std::pmr::vector<std::uint8_t> bytes;  ///< uint8 [size, H, W, 3], not normalised
  std::vector<Reason> reasons;           ///< one for each real sample
  std::vector<float> features;           ///< instead of both: features of an earlier run
};

/// Work of the loader's threads so far.
struct LoaderFigures {
  double seconds_waited = 0;   ///< time that `next` waited for data
  double seconds_reading = 0;  ///< reading and decoding, summed over the threads
};

/// Seconds since a fixed moment. Called by the loader's threads and the consumer's.
using LoaderClock = std::function<double()>;
double steady_seconds();

/// Reads micro-batches ahead of the consumer, in threads of its own, and delivers them in the order of the
/// requests. The threads share the samples of one micro-batch, so that few micro-batches are open at a time.
/// Never holds more than `depth` batches, besides those that the consumer still has.
class Loader {
 public:
  using Readers = std::vector<std::unique_ptr<SampleReader>>;

  /// Starts one thread per reader. `batch_size`: samples in a micro-batch. `depth`: at least 1. `bytes`:
  /// memory for delivering bytes instead of normalised pixels; all readers must give them. That is for a GPU:
  /// the threads then have a low priority, so that the thread that feeds it need not wait for a core.
  /// `clock`: source of time for the figures.
  Loader(Readers readers, const DatasetShape& shape, std::int64_t batch_size, std::int64_t depth,
         std::pmr::memory_resource* bytes = nullptr, LoaderClock clock = steady_seconds);
  /// Stops once the samples under way are read; batches that were not taken are dropped.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Asks for micro-batches [first, first + count), whose samples are at `locations` (one each, or none).
  /// Does not block.
  void request(std::int64_t first, std::int64_t count, std::vector<Location> locations = {});
  /// Next requested micro-batch; blocks until it is there. Rethrows errors of readers. Throws Error(internal)
  /// when nothing is requested.
  Batch next();
  /// Largest number of micro-batches that are held.
  [[nodiscard]] std::int64_t depth() const;
  /// Number of real samples in micro-batch `index`.
  [[nodiscard]] std::int64_t samples_of(std::int64_t index) const;
  /// Returns a batch's buffers for reuse.
  void recycle(Batch&& batch);
  [[nodiscard]] LoaderFigures figures() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Number of micro-batches that fit into `read_ahead` bytes: at least 2.
std::int64_t read_ahead_depth(std::uint64_t read_ahead, std::int64_t batch_size,
                              std::int64_t bytes_per_image);

}  // namespace polyhead::data
