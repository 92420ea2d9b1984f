#include "hdf5_find.hpp"

#include <optional>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/h5/filters.hpp"

namespace polyhead::data {
namespace {

h5::Dataset dataset_of(const h5::File& file, const std::string& name, std::string_view option) {
  try {
    return file.dataset(name);
  } catch (const Error& error) {
    const auto near = file.has(name) ? std::nullopt : closest(name, file.list());
    const std::string hint = near ? fmt::format("; did you mean '{}'?", *near) : "";
    throw Error(error.code(), fmt::format("{}{} ({} chooses the dataset)", error.what(), hint, option));
  }
}

/// Said when the file is opened, on every host that reads: rows could not be read.
void check_filters(const h5::File& file, const std::string& name, const std::string& where) {
  const std::vector<std::string> missing = h5::missing_filters(file, name);
  if (missing.empty()) return;
  throw Error(ExitCode::bad_data,
              fmt::format("{}: packed with {}, which HDF5 does not have here. Most such filters come with "
                          "pip's hdf5plugin, which every host needs: export HDF5_PLUGIN_PATH=$(python3 -c "
                          "'import hdf5plugin; print(hdf5plugin.PLUGIN_PATH)'). Or pack the file anew with "
                          "what is built in: h5py's compression=\"gzip\", or none",
                          where, join(missing)));
}

}  // namespace

h5::Dataset find_hdf5(const h5::File& file, const std::string& name, std::string_view option) {
  h5::Dataset dataset = dataset_of(file, name, option);
  check_filters(file, name, dataset.where());
  return dataset;
}

}  // namespace polyhead::data
