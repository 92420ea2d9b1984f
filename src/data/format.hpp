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

/// A format of data sets: a row of the table in format_table.cpp. What a format has no use for is null.
struct Format {
  config::DataFormat format = config::DataFormat::automatic;
  std::string_view looks = {};  ///< what it is known by, for messages; empty where another row says it, too
  bool encoded =
      false;  ///< whether its samples are image files, which a codec decodes; else arrays of pixels

  /// Whether a file of this path and size is a data set of this format, as far as a look at it tells.
  bool (*is_file)(const std::string& path, std::int64_t size) = nullptr;
  /// Whether a file of this name tells that the folder it lies in is one.
  bool (*marks_folder)(std::string_view name) = nullptr;
  /// Whether a path that does not exist stands for several files.
  bool (*is_pattern)(const std::string& path) = nullptr;
  /// The files that such a path stands for. Throws Error(config).
  std::vector<std::string> (*expand)(const std::string& path) = nullptr;

  /// What `data::open` does for this format.
  std::unique_ptr<Dataset> (*open)(const config::Data& config, const std::filesystem::path& index) = nullptr;
  /// What `data::open_reader` does for it.
  std::unique_ptr<SampleReader> (*open_reader)(const config::Data& config,
                                               const DatasetShape& shape) = nullptr;
  /// What `data::digest_samples` does for it.
  std::vector<Digest> (*digest)(const config::Data& config, const DatasetShape& shape,
                                std::span<const Location> places) = nullptr;
  /// What `data::check_sources` does for it.
  void (*check_sources)(const config::Data& config) = nullptr;
  /// Looks at some pixels of a data set that `open` has accepted; null where all are 8-bit.
  PixelValues (*look_at_pixels)(const config::Data& config) = nullptr;
};

}  // namespace polyhead::data
