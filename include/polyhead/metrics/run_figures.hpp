#pragma once

#include <cstdint>

namespace polyhead::metrics {

/// Speed of a run: facts that the run knows and its result file does not hold.
struct RunFigures {
  double seconds = 0;  ///< from the first lease to the last row
  double images_per_second = 0;
  int ranks = 1;
  int threads = 1;                  ///< compute threads per rank, of rank 0
  double waiting_share = 0;         ///< share of their time that ranks waited for data, 0 to 1
  double computing_share = 0;       ///< share of their time that ranks computed and exchanged, 0 to 1
  int workers = 1;                  ///< reading and decoding threads per rank, of rank 0
  double reading_share = 0;         ///< share of their time that these threads read and decoded, 0 to 1
  std::int64_t earlier_images = 0;  ///< images in the file that earlier runs computed
};

}  // namespace polyhead::metrics
