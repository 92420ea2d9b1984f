#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/config/config.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/data/reader.hpp"

namespace polyhead::data {

/// CIFAR-10 and CIFAR-100 in their binary form; `config.format` says which. Throws Error (no_input,
/// bad_data).
std::unique_ptr<Dataset> open_cifar(const config::Data& config, const std::filesystem::path& index);
/// Digests of the rows that `digested_samples` names; their numbers are their places. Throws what
/// `open_cifar` throws, also when the file here differs from the one that `shape` describes.
std::vector<Digest> digest_cifar(const config::Data& config, const DatasetShape& shape,
                                 std::span<const Location> places);
/// Throws what `open_cifar` throws, also when the file here differs from the one that `shape` describes.
std::unique_ptr<SampleReader> open_cifar_reader(const config::Data& config, const DatasetShape& shape);

/// Whether the file is named like a batch of CIFAR-10 and holds whole rows.
bool is_cifar10_file(const std::string& path, std::int64_t size);
/// Whether the file holds the test images. Of a folder, only that file is read.
bool marks_cifar10(std::string_view name);
bool marks_cifar100(std::string_view name);

}  // namespace polyhead::data
