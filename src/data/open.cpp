#include "hdf5_dataset.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/data/dataset.hpp"

namespace polyhead::data {

std::unique_ptr<Dataset> open(const config::Data& config) {
  switch (config.format) {
    case config::DataFormat::hdf5:
      return open_hdf5(config);
  }
  throw Error(ExitCode::internal, "data: this format has no reader");
}

}  // namespace polyhead::data
