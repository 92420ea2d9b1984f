#include "storage.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>
#include <sys/stat.h>

#include "check.hpp"
#include "polyhead/h5/h5.hpp"
#include "selection.hpp"
#include "sources.hpp"

namespace polyhead::h5::detail {

namespace fs = std::filesystem;

void check_written(hid_t dataset, H5D_layout_t layout, const std::string& where) {
  if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED) return;
  H5D_space_status_t status = H5D_SPACE_STATUS_ALLOCATED;
  checked(ExitCode::bad_data, where, "tell what was written",
          [&] { return H5Dget_space_status(dataset, &status); });
  const bool empty = values_in(extent_of_dataset(dataset, where)) == 0;
  if (empty || status != H5D_SPACE_STATUS_NOT_ALLOCATED) return;
  throw Error(
      ExitCode::bad_data,
      fmt::format("{}: nothing was ever written to it: all its values would be the fill value; expected "
                  "data: let the program that makes the file run to its end",
                  where));
}

void check_external(hid_t dataset, hid_t properties, const std::string& where, const fs::path& path,
                    std::set<fs::path>& files) {
  const int count = H5Pget_external_count(properties);
  const Handle type(
      checked(ExitCode::bad_data, where, "read its type", [&] { return H5Dget_type(dataset); }));
  std::uint64_t left = values_in(extent_of_dataset(dataset, where)) * H5Tget_size(type.get());
  for (unsigned i = 0; i < static_cast<unsigned>(count); ++i) {
    std::array<char, 4096> name{};
    off_t offset = 0;
    hsize_t size = 0;
    read_sources(
        where, [&] { return H5Pget_external(properties, i, name.size() - 1, name.data(), &offset, &size); });
    const std::uint64_t here = std::min<std::uint64_t>(left, size);  // the last may have no limit
    const fs::path file = external_path(path, name.data());
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
      throw Error(
          ExitCode::no_input,
          fmt::format("{}: its values are in the external file '{}', which is not there: {}; HDF5 looks "
                      "in the working directory, or in the folder that HDF5_EXTFILE_PREFIX names",
                      where, name.data(), file.string()));
    }
    const std::uint64_t needed = static_cast<std::uint64_t>(offset) + here;
    if (here > 0 && static_cast<std::uint64_t>(status.st_size) < needed) {
      throw Error(ExitCode::bad_data,
                  fmt::format("{}: its values are in the external file '{}', which has {} bytes; expected at "
                              "least {}: HDF5 would read zeros in place of the rest",
                              where, file.string(), status.st_size, needed));
    }
    files.insert(file);
    left -= here;
  }
}

}  // namespace polyhead::h5::detail
