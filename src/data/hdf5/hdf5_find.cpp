#include "hdf5_find.hpp"

#include <optional>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"

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

}  // namespace

h5::Dataset find_hdf5(const h5::File& file, const std::string& name, std::string_view option) {
  h5::Dataset dataset = dataset_of(file, name, option);
  dataset.check_filters();  // rows could not be read
  return dataset;
}

}  // namespace polyhead::data
