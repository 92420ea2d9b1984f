#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "polyhead/base/aligned.hpp"
#include "polyhead/base/sample.hpp"

namespace polyhead::data {

class Dataset;

/// One micro-batch, ready for the backbone.
struct Batch {
  std::int64_t index = 0;         ///< number of the micro-batch
  std::int64_t first_sample = 0;  ///< its first sample
  std::int64_t samples = 0;       ///< real samples; the rest of `pixels` is zeros
  AlignedVector<float> pixels;    ///< fp32 [size, 3, H, W], always the full micro-batch
  std::vector<Reason> reasons;    ///< one for each real sample
};

/// Reads micro-batches ahead of the consumer, in a thread of its own, in the order in which they were asked
/// for. Never holds more than `depth` batches (those that the consumer still has not counted).
class Loader {
 public:
  /// `batch_size`: samples in a micro-batch. `depth`: at least 1. `dataset` must outlive the loader and is
  /// used by its thread alone.
  Loader(Dataset& dataset, std::int64_t batch_size, std::int64_t depth);
  /// Stops at once; batches that nobody took are dropped.
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Asks for micro-batches [first, first + count). Does not block.
  void request(std::int64_t first, std::int64_t count);
  /// The next micro-batch asked for; blocks until it is there. Rethrows what the reader threw. Throws
  /// Error(internal) when nothing is asked for.
  Batch next();
  /// Gives a batch's buffers back for reuse.
  void recycle(Batch&& batch);
  /// Seconds that `next` has waited so far.
  [[nodiscard]] double seconds_waited() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// How many micro-batches fit into `read_ahead` bytes: at least 2.
std::int64_t read_ahead_depth(std::uint64_t read_ahead, std::int64_t batch_size,
                              std::int64_t values_per_image);

}  // namespace polyhead::data
