#pragma once

#include <cstdint>

namespace polyhead::metrics {

/// How fast a run was: what the run itself knows and its result file does not.
struct RunFigures {
  double seconds = 0;  ///< from the first lease to the last row
  double images_per_second = 0;
  int ranks = 1;
  int threads = 1;                  ///< compute threads a rank, of rank 0
  double waiting_share = 0;         ///< of their time that ranks waited for data, 0 to 1
  double computing_share = 0;       ///< of their time that ranks computed and exchanged, 0 to 1
  int workers = 1;                  ///< threads a rank that read and decode, of rank 0
  double reading_share = 0;         ///< of their time that these threads read and decoded, 0 to 1
  std::int64_t earlier_images = 0;  ///< of the file, which earlier runs computed
};

}  // namespace polyhead::metrics
