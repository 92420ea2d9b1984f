#include "cache.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <hdf5.h>

#include "check.hpp"

namespace polyhead::h5::detail {
namespace {

constexpr double kDefaultCache = 1 << 20U;
constexpr double kMaxSlots = 1e6;

/// Chunks side by side in one band of rows, and their bytes. Doubles: an absurd file must not overflow them.
struct Band {
  double chunks = 1;
  double bytes = 0;
};

Band band_of(hid_t dataset, hid_t properties, const std::string& where) {
  std::array<hsize_t, H5S_MAX_RANK> chunk{};
  std::array<hsize_t, H5S_MAX_RANK> shape{};
  const int rank = checked(ExitCode::bad_data, where, "read its chunks",
                           [&] { return H5Pget_chunk(properties, H5S_MAX_RANK, chunk.data()); });
  const Handle space(
      checked(ExitCode::bad_data, where, "read its shape", [&] { return H5Dget_space(dataset); }));
  checked(ExitCode::bad_data, where, "read its shape",
          [&] { return H5Sget_simple_extent_dims(space.get(), shape.data(), nullptr); });
  const Handle type(
      checked(ExitCode::bad_data, where, "read its type", [&] { return H5Dget_type(dataset); }));
  Band band;
  band.bytes = static_cast<double>(H5Tget_size(type.get())) * static_cast<double>(chunk[0]);
  for (std::size_t i = 1; i < static_cast<std::size_t>(rank); ++i) {
    const double across = static_cast<double>(shape.at(i)) / static_cast<double>(chunk.at(i)) + 1;
    band.chunks *= across;
    band.bytes *= across * static_cast<double>(chunk.at(i));
  }
  return band;
}

}  // namespace

Handle with_chunk_cache(Handle dataset, std::int64_t file, const std::string& name,
                        const std::string& where) {
  const Handle properties(checked(ExitCode::bad_data, where, "read its layout",
                                  [&] { return H5Dget_create_plist(dataset.get()); }));
  if (H5Pget_layout(properties.get()) != H5D_CHUNKED) return dataset;
  const Band band = band_of(dataset.get(), properties.get(), where);
  if (band.bytes <= kDefaultCache || band.bytes > static_cast<double>(kMaxCache)) return dataset;
  const Handle access(
      checked(ExitCode::internal, where, "set its cache", [] { return H5Pcreate(H5P_DATASET_ACCESS); }));
  const auto slots = static_cast<std::size_t>(std::min(kMaxSlots, 10 * band.chunks + 521));
  checked(ExitCode::internal, where, "set its cache", [&] {
    return H5Pset_chunk_cache(access.get(), slots, static_cast<std::size_t>(band.bytes),
                              H5D_CHUNK_CACHE_W0_DEFAULT);
  });
  dataset.reset();  // a dataset that is still open would keep its cache
  return Handle(checked(ExitCode::bad_data, where, "be opened as a dataset",
                        [&] { return H5Dopen2(file, name.c_str(), access.get()); }));
}

}  // namespace polyhead::h5::detail
