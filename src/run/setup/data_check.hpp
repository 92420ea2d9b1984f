#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/data/location.hpp"
#include "polyhead/run/inputs.hpp"

namespace polyhead::run {

/// Places of some samples spread over the data set, those that this host has; rank 0 chooses them.
std::vector<data::Location> choose_probes(const data::Dataset& dataset);

/// Throws Error(no_input) when this host lacks a file that rank 0 has: it would call every sample missing.
void check_probes(const std::vector<data::Location>& probes);

/// What files a process sees: those of its host, and of its container.
std::string view_of_files(const std::string& host);

/// A file and its size in bytes where rank 0 is.
struct SizedFile {
  std::string path;
  std::int64_t size = 0;
};
/// Files of 4,096 samples, evenly spread, and all that hold many samples. Those that rank 0 lacks are left
/// out.
std::vector<SizedFile> choose_sizes(const data::Dataset& dataset);

/// Throws Error(bad_data) where a file here is missing or has another size than rank 0's.
void check_sizes(const std::vector<SizedFile>& files);

/// Throws Error(bad_data) where a sample's bytes differ here. `places`, `here` and `there` are of
/// `data::digested_samples`; without places samples are known by their numbers in the data set at `path`.
void check_digests(const std::vector<data::Location>& places, const std::string& path, std::int64_t samples,
                   const std::vector<Digest>& here, const std::vector<Digest>& there);

/// Sees to it that all ranks see the data that rank 0 sees. Each looks for some files, and for what HDF5
/// would read fill values without. Of the ranks that see the same files (`view`), but not those of rank 0,
/// the lowest compares sizes and the bytes of 64 samples. Collective; `host` is for messages. Throws
/// AgreedError.
void check_data_is_everywhere(comm::Collectives& world, Inputs& inputs, const std::string& host,
                              const std::string& view);

}  // namespace polyhead::run
