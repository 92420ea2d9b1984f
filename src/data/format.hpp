#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/pixel_units.hpp"
#include "polyhead/base/digest.hpp"
#include "polyhead/config/config.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/data/reader.hpp"

namespace polyhead::data {

/// A format of data sets: a row of the table in format_table.cpp. Members that a format does not need are
/// null.
struct Format {
  config::DataFormat format = config::DataFormat::automatic;
  std::string_view looks = {};  ///< description for messages; empty where another row has it
  bool encoded = false;  ///< whether samples are image files, which a codec decodes; else arrays of pixels

  /// Whether a file of this path and size appears to be a data set of this format.
  bool (*is_file)(const std::string& path, std::int64_t size) = nullptr;
  /// Whether a file of this name marks its folder as a data set of this format.
  bool (*marks_folder)(std::string_view name) = nullptr;
  /// Whether a path that does not exist stands for several files.
  bool (*is_pattern)(const std::string& path) = nullptr;
  /// Files that such a path stands for. Throws Error(config).
  std::vector<std::string> (*expand)(const std::string& path) = nullptr;

  /// This format's `data::open`.
  std::unique_ptr<Dataset> (*open)(const config::Data& config, const std::filesystem::path& index) = nullptr;
  /// This format's `data::open_reader`.
  std::unique_ptr<SampleReader> (*open_reader)(const config::Data& config,
                                               const DatasetShape& shape) = nullptr;
  /// This format's `data::digest_samples`.
  std::vector<Digest> (*digest)(const config::Data& config, const DatasetShape& shape,
                                std::span<const Location> places) = nullptr;
  /// This format's `data::check_sources`.
  void (*check_sources)(const config::Data& config) = nullptr;
  /// Reads some pixels of a data set that `open` has accepted; null where all are 8-bit.
  PixelValues (*look_at_pixels)(const config::Data& config) = nullptr;
};

}  // namespace polyhead::data
