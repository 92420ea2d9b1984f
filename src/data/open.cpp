#include <filesystem>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "data/pixel_units.hpp"
#include "format_table.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/data/encoded.hpp"
#include "polyhead/data/host_data.hpp"
#include "polyhead/data/reader.hpp"

namespace polyhead::data {
namespace {

config::Data resolved(config::Data config) {
  if (config.format == config::DataFormat::automatic) config.format = detect_format(config);
  return config;
}

/// Throws the error for a missing path, which is one error in all formats.
void check_there(const config::Data& config) {
  std::error_code ignored;
  if (!std::filesystem::exists(config.path, ignored)) static_cast<void>(detect_format(config));
}

}  // namespace

std::unique_ptr<Dataset> open(const config::Data& given, const std::filesystem::path& index) {
  check_there(given);
  const config::Data config = resolved(given);
  const Format& format = format_of(config.format);
  const bool looks = format.look_at_pixels != nullptr;  // otherwise the check need not wait for a scan
  std::string doubt = looks ? "" : check_units(config.preprocess, PixelValues{});
  auto dataset = format.open(config, index);
  if (looks) doubt = check_units(config.preprocess, format.look_at_pixels(config));
  if (!doubt.empty()) log::warning(fmt::format("data: {}", doubt));
  return dataset;
}

std::vector<Digest> digest_samples(const config::Data& given, const DatasetShape& shape,
                                   std::span<const Location> places) {
  const config::Data config = resolved(given);
  return format_of(config.format).digest(config, shape, places);
}

void check_sources(const config::Data& given) {
  const config::Data config = resolved(given);
  const Format& format = format_of(config.format);
  if (format.check_sources != nullptr) format.check_sources(config);
}

std::unique_ptr<SampleReader> open_reader(const config::Data& given, const DatasetShape& shape) {
  const config::Data config = resolved(given);
  return format_of(config.format).open_reader(config, shape);
}

bool is_encoded(config::DataFormat format) {
  return format != config::DataFormat::automatic && format_of(format).encoded;
}

}  // namespace polyhead::data
