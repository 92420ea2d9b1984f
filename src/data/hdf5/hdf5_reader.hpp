#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "polyhead/base/digest.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/reader.hpp"

namespace polyhead::data {

/// HDF5 is not thread-safe in every build, so those that call it take turns. Nothing else may be done
/// meanwhile: the others wait. A test looks at what is.
class Hdf5Turn {
 public:
  virtual ~Hdf5Turn() = default;
  virtual void lock() { mutex_.lock(); }
  virtual void unlock() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// That of all readers of this process.
Hdf5Turn& hdf5_turn();

/// Throws Error (no_input, bad_data), also when the file here is another one than `shape` says. `turn` must
/// outlive the reader.
std::unique_ptr<SampleReader> open_hdf5_reader(const config::Data& config, const DatasetShape& shape,
                                               Hdf5Turn& turn);
/// The same, in turn with all other readers of this process.
std::unique_ptr<SampleReader> open_hdf5_samples(const config::Data& config, const DatasetShape& shape);

/// Of the rows that `digested_samples` names; their numbers are their places. Throws the same.
std::vector<Digest> digest_hdf5(const config::Data& config, const DatasetShape& shape,
                                std::span<const Location> places);
/// Throws Error (no_input, bad_data) where this host lacks a source of the images.
void check_hdf5_sources(const config::Data& config);

}  // namespace polyhead::data
