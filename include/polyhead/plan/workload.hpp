#pragma once

#include <cstdint>
#include <vector>

namespace polyhead::plan {

/// What the backbone costs. A FLOP is one multiplication or one addition, so a multiply-accumulate is two.
struct BackboneCost {
  std::int64_t flops = 0;            ///< an image
  std::int64_t bytes = 0;            ///< of its parameters, fp32
  std::int64_t feature_width = 0;    ///< values a sample
  std::int64_t activations = 0;      ///< bytes an image that live at once on a GPU, at most, input included
  std::int64_t cpu_activations = 0;  ///< bytes an image on a CPU, as its engine computes
  std::int64_t cpu_workspace = 0;    ///< bytes on a CPU, whatever the number of images
  std::int64_t prepared_bytes = 0;   ///< of the second copy of its parameters, as the CPU's kernels want them
  std::int64_t shared_bytes = 0;     ///< of such a copy that the ranks of a node have together
};

/// What one head costs.
struct HeadCost {
  std::int64_t multiplications = 0;  ///< a sample; what heads are shared out by
  std::int64_t bytes = 0;            ///< of its parameters, fp32
  std::int64_t steps = 0;            ///< operations that are started one after the other
  std::int64_t activations = 0;      ///< bytes a sample that live at once, at most
};

/// A job, as far as its cost depends on it.
struct Workload {
  std::int64_t samples = 0;
  std::int64_t batch = 1;         ///< m: samples in a micro-batch
  std::int64_t image_values = 0;  ///< of a preprocessed image, channels included
  std::int64_t gpu_value = 1;     ///< bytes of each as a GPU gets it; a CPU gets fp32
  std::int64_t classes = 0;
  BackboneCost backbone;
  std::vector<HeadCost> heads;
  std::int64_t sum_width = 0;     ///< 64-bit sums that the fusion adds up, per sample
  std::int64_t head_values = 1;   ///< 4-byte values that each head says of a sample to the rank that fuses it
  std::int64_t row_bytes = 0;     ///< of one sample in the result file
  bool head_scores = false;       ///< every head's scores are kept
  bool cached = false;            ///< features may be known: nothing is read before the work begins
  std::uint64_t read_ahead = 0;   ///< bytes of micro-batches decoded ahead, a rank
  std::int64_t worker_bytes = 0;  ///< of a thread that reads and decodes ordinary samples
  std::int64_t unusual_bytes = 0;  ///< more, of each such thread, for the largest that may be read at once
  std::int64_t large_sample_bytes = 0;  ///< more, once a rank, while a sample is read that is larger still

  [[nodiscard]] std::int64_t micro_batches() const { return (samples + batch - 1) / batch; }
};

}  // namespace polyhead::plan
