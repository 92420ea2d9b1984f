#pragma once

#include <memory>
#include <vector>

#include "polyhead/config/config.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/data/reader.hpp"

namespace polyhead::data {

/// CIFAR-10 and CIFAR-100 in their binary form; `config.format` says which. Throws Error (no_input,
/// bad_data).
std::unique_ptr<Dataset> open_cifar(const config::Data& config);
/// Of the rows that `digested_samples` names. Throws the same, also when the file here is another one than
/// `shape` says.
std::vector<Digest> digest_cifar(const config::Data& config, const DatasetShape& shape);
/// Throws the same, also when the file here is another one than `shape` says.
std::unique_ptr<SampleReader> open_cifar_reader(const config::Data& config, const DatasetShape& shape);

}  // namespace polyhead::data
