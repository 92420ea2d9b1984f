#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/data/location.hpp"
#include "polyhead/run/inputs.hpp"

namespace polyhead::run {

/// Places of some samples spread over the data set, among those that this host has; rank 0 chooses them.
std::vector<data::Location> choose_probes(const data::Dataset& dataset);

/// Throws Error(no_input) when this host lacks a file that rank 0 has: every sample would count as missing
/// here.
void check_probes(const std::vector<data::Location>& probes);

/// Identifier of the files that a process sees: those of its host, and of its container.
std::string view_of_files(const std::string& host);

/// A file and its size in bytes on rank 0.
struct SizedFile {
  std::string path;
  std::int64_t size = 0;
};
/// Files of 4,096 evenly spread samples, and all that hold many samples. Files that rank 0 lacks are left
/// out.
std::vector<SizedFile> choose_sizes(const data::Dataset& dataset);

/// Throws Error(bad_data) where a file here is missing or differs in size from rank 0's.
void check_sizes(const std::vector<SizedFile>& files);

/// Throws Error(bad_data) where a sample's bytes differ here. `places`, `here` and `there` belong to
/// `data::digested_samples`. Without places, samples are identified by their numbers in the data set at
/// `path`.
void check_digests(const std::vector<data::Location>& places, const std::string& path, std::int64_t samples,
                   const std::vector<Digest>& here, const std::vector<Digest>& there);

/// Checks that all ranks see the data that rank 0 sees. Each rank looks for some files, and for the sources
/// without which HDF5 would read fill values. Among ranks that see the same files (`view`), but not rank 0's,
/// the lowest compares sizes and the bytes of 64 samples. `host`: for messages. Collective. Throws
/// AgreedError.
void check_data_is_everywhere(comm::Collectives& world, Inputs& inputs, const std::string& host,
                              const std::string& view);

}  // namespace polyhead::run
