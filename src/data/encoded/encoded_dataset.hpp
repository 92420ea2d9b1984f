#pragma once

#include <memory>
#include <string>

#include "data/index/sample_index.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/dataset.hpp"

namespace polyhead::data {

/// Differences between the formats whose samples are image files, once the samples are listed.
struct EncodedKind {
  std::string name;  ///< name for the log, and part of the digest
  std::string base;  ///< folder that the samples' ids are relative to; empty: samples are parts of files
};

/// A data set of the image files that `index` lists. Throws Error(config) without data.preprocess.crop.
std::unique_ptr<Dataset> encoded_dataset(const config::Data& config, SampleIndex index, EncodedKind kind);

}  // namespace polyhead::data
