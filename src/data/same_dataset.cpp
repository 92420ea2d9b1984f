#include "same_dataset.hpp"

#include <fmt/format.h>

#include "polyhead/base/error.hpp"

namespace polyhead::data {
namespace {

std::string text(const DatasetShape& shape) {
  return fmt::format("{} samples of {}x{} after preprocessing", shape.size, shape.image.height,
                     shape.image.width);
}

}  // namespace

void check_same_dataset(const DatasetShape& here, const DatasetShape& there, std::string_view where) {
  if (here == there) return;
  throw Error(
      ExitCode::bad_data,
      fmt::format("{}: this rank sees another data set than rank 0: found {}, expected {}; put the same "
                  "file on every node",
                  where, text(here), text(there)));
}

}  // namespace polyhead::data
