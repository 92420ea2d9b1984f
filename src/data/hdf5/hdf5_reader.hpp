#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "polyhead/base/digest.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/reader.hpp"

namespace polyhead::data {

/// Turn for calls of HDF5, which is not thread-safe in every build. Nothing else may be done in a turn: the
/// others wait. A test checks what is.
class Hdf5Turn {
 public:
  virtual ~Hdf5Turn() = default;
  virtual void lock() { mutex_.lock(); }
  virtual void unlock() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

/// The turn that all readers of this process share.
Hdf5Turn& hdf5_turn();

/// Throws Error (no_input, bad_data), also when the file here differs from the one that `shape` describes.
/// `turn` must outlive the reader.
std::unique_ptr<SampleReader> open_hdf5_reader(const config::Data& config, const DatasetShape& shape,
                                               Hdf5Turn& turn);
/// `open_hdf5_reader` with the turn that all readers of this process share.
std::unique_ptr<SampleReader> open_hdf5_samples(const config::Data& config, const DatasetShape& shape);

/// Digests of the rows that `digested_samples` names; their numbers are their places. Throws what
/// `open_hdf5_reader` throws.
std::vector<Digest> digest_hdf5(const config::Data& config, const DatasetShape& shape,
                                std::span<const Location> places);
/// Throws Error (no_input, bad_data) where this host lacks a source of the images.
void check_hdf5_sources(const config::Data& config);

}  // namespace polyhead::data
