#pragma once

#include <cstdint>
#include <vector>

namespace polyhead::plan {

/// Cost of the backbone. A FLOP is one multiplication or one addition, so a multiply-accumulate is two.
struct BackboneCost {
  std::int64_t flops = 0;            ///< FLOPs per image
  std::int64_t bytes = 0;            ///< bytes of its parameters, fp32
  std::int64_t feature_width = 0;    ///< values per sample
  std::int64_t activations = 0;      ///< bytes per image that live at once on a GPU, at most, input included
  std::int64_t cpu_activations = 0;  ///< bytes per image on a CPU, as its engine computes
  std::int64_t cpu_workspace = 0;    ///< bytes on a CPU, whatever the number of images
  std::int64_t prepared_bytes =
      0;  ///< bytes of the second copy of its parameters, in the layout of the CPU's kernels
  std::int64_t shared_bytes = 0;  ///< bytes of such a copy that the ranks of a node share
};

/// Cost of one head.
struct HeadCost {
  std::int64_t multiplications = 0;  ///< per sample; heads are shared out by it
  std::int64_t bytes = 0;            ///< bytes of its parameters, fp32
  std::int64_t steps = 0;            ///< operations that run one after the other
  std::int64_t activations = 0;      ///< bytes per sample that live at once, at most
};

/// Properties of a job on which its cost depends.
struct Workload {
  std::int64_t samples = 0;
  std::int64_t batch = 1;         ///< m: samples in a micro-batch
  std::int64_t image_values = 0;  ///< values of a preprocessed image, channels included
  std::int64_t gpu_value = 1;     ///< bytes per value on a GPU; a CPU gets fp32
  std::int64_t classes = 0;
  BackboneCost backbone;
  std::vector<HeadCost> heads;
  std::int64_t sum_width = 0;     ///< 64-bit sums that the fusion adds up, per sample
  std::int64_t head_values = 1;   ///< 4-byte values per sample that each head sends to the rank that fuses it
  std::int64_t row_bytes = 0;     ///< bytes per sample in the result file
  bool head_scores = false;       ///< every head's scores are kept
  bool cached = false;            ///< features may be known: nothing is read before the work begins
  std::uint64_t read_ahead = 0;   ///< bytes of micro-batches decoded ahead, per rank
  std::int64_t worker_bytes = 0;  ///< bytes of a thread that reads and decodes ordinary samples
  std::int64_t unusual_bytes =
      0;  ///< additional bytes per thread for the largest sample that may be read at once
  std::int64_t large_sample_bytes = 0;  ///< additional bytes per rank while a still larger sample is read

  [[nodiscard]] std::int64_t micro_batches() const { return (samples + batch - 1) / batch; }
};

}  // namespace polyhead::plan
