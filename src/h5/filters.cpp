#include "filters.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <hdf5.h>

#include "check.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/h5/h5.hpp"

namespace polyhead::h5 {
namespace {

using detail::checked;

/// A filter that is registered with The HDF Group: https://github.com/HDFGroup/hdf5_plugins,
/// RegisteredFilterPlugins.md
struct Known {
  H5Z_filter_t number;
  const char* name;
};
constexpr std::array kKnown{Known{307, "bzip2"},  Known{32000, "lzf"},        Known{32001, "blosc"},
                            Known{32004, "lz4"},  Known{32008, "bitshuffle"}, Known{32013, "zfp"},
                            Known{32015, "zstd"}, Known{32017, "sz"},         Known{32018, "fcidecomp"},
                            Known{32024, "sz3"},  Known{32026, "blosc2"},     Known{32028, "sperr"}};

/// The registered name, or what the file calls it.
std::string name_of_filter(H5Z_filter_t number, const char* in_file) {
  const auto known = std::ranges::find(kKnown, number, &Known::number);
  return known != kKnown.end() ? known->name : in_file;
}

/// Bit i is set if the first chunk was written without filter i, as by a writer that lacks an optional
/// filter.
unsigned skipped_filters(hid_t dataset) {
  detail::silence();
  const Handle space(H5Dget_space(dataset));  // HDF5 1.10 does not take H5S_ALL here
  hsize_t chunks = 0;
  if (H5Dget_num_chunks(dataset, space.get(), &chunks) < 0) return 0;
  if (chunks == 0) return ~0U;
  std::array<hsize_t, H5S_MAX_RANK> offset{};
  unsigned mask = 0;
  haddr_t address = 0;
  hsize_t size = 0;
  return H5Dget_chunk_info(dataset, space.get(), 0, offset.data(), &mask, &address, &size) < 0 ? 0 : mask;
}

std::vector<std::string> missing_filters(hid_t dataset, const std::string& where) {
  const auto call = [&](auto&& function) {
    return checked(ExitCode::bad_data, where, "read its filters", function);
  };
  const Handle properties(call([&] { return H5Dget_create_plist(dataset); }));
  if (H5Pget_layout(properties.get()) != H5D_CHUNKED) return {};
  const int filters = call([&] { return H5Pget_nfilters(properties.get()); });
  std::vector<std::string> missing;
  for (int i = 0; i < filters; ++i) {
    const auto place = static_cast<unsigned>(i);
    unsigned flags = 0;
    std::size_t values = 0;
    std::array<char, 64> name{};
    const H5Z_filter_t number = call([&] {
      return H5Pget_filter2(properties.get(), place, &flags, &values, nullptr, name.size() - 1, name.data(),
                            nullptr);
    });
    const bool is_used = (skipped_filters(dataset) >> place & 1U) == 0;
    if (is_used && H5Zfilter_avail(number) <= 0)
      missing.push_back(fmt::format("{} ({})", name_of_filter(number, name.data()), number));
  }
  return missing;
}

}  // namespace

void detail::check_filters(hid_t dataset, const std::string& where) {
  const std::vector<std::string> missing = missing_filters(dataset, where);
  if (missing.empty()) return;
  throw Error(ExitCode::bad_data,
              fmt::format("{}: packed with {}, which HDF5 does not have here. Most such filters come with "
                          "pip's hdf5plugin, which every host needs: export HDF5_PLUGIN_PATH=$(python3 -c "
                          "'import hdf5plugin; print(hdf5plugin.PLUGIN_PATH)'). Or pack the file anew with "
                          "what is built in: h5py's compression=\"gzip\", or none",
                          where, join(missing)));
}

void Dataset::check_filters() const {
  detail::check_filters(handle_.get(), where_);
}

}  // namespace polyhead::h5
