#include <filesystem>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "data/cifar/cifar.hpp"
#include "data/hdf5/hdf5_dataset.hpp"
#include "data/hdf5/hdf5_reader.hpp"
#include "data/hdf5/pixel_units.hpp"
#include "data/image_folder/encoded_dataset.hpp"
#include "data/image_folder/encoded_reader.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/data/dataset.hpp"
#include "polyhead/data/host_data.hpp"
#include "polyhead/data/reader.hpp"

namespace polyhead::data {
namespace {

using config::DataFormat;

config::Data resolved(config::Data config) {
  if (config.format == DataFormat::automatic) config.format = detect_format(config);
  return config;
}

/// A missing path is the same error in all formats.
void check_there(const config::Data& config) {
  std::error_code ignored;
  if (!std::filesystem::exists(config.path, ignored)) static_cast<void>(detect_format(config));
}

[[noreturn]] void no_reader() {
  throw Error(ExitCode::internal, "data: this format has no reader");
}

std::unique_ptr<Dataset> open_format(const config::Data& config, const std::filesystem::path& index) {
  switch (config.format) {
    case DataFormat::image_folder:
      return open_image_folder(config, index);
    case DataFormat::webdataset:
      return open_webdataset(config, index);
    case DataFormat::cifar10:
    case DataFormat::cifar100:
      return open_cifar(config);
    case DataFormat::hdf5:
      return open_hdf5(config);
    case DataFormat::automatic:
      break;
  }
  no_reader();
}

}  // namespace

std::unique_ptr<Dataset> open(const config::Data& given, const std::filesystem::path& index) {
  check_there(given);
  const config::Data config = resolved(given);
  const bool looks = config.format == DataFormat::hdf5;  // at pixels; otherwise it need not wait for a scan
  std::string doubt = looks ? "" : check_units(config);
  auto dataset = open_format(config, index);
  if (looks) doubt = check_units(config);
  if (!doubt.empty()) log::warning(fmt::format("data: {}", doubt));
  return dataset;
}

std::vector<Digest> digest_samples(const config::Data& given, const DatasetShape& shape,
                                   std::span<const Location> places) {
  const config::Data config = resolved(given);
  switch (config.format) {
    case DataFormat::cifar10:
    case DataFormat::cifar100:
      return digest_cifar(config, shape);
    case DataFormat::hdf5:
      return digest_hdf5(config, shape);
    default:
      return digest_places(places, config.max_file_size);
  }
}

void check_sources(const config::Data& given) {
  const config::Data config = resolved(given);
  if (config.format == DataFormat::hdf5) check_hdf5_sources(config);
}

std::unique_ptr<SampleReader> open_reader(const config::Data& given, const DatasetShape& shape) {
  const config::Data config = resolved(given);
  switch (config.format) {
    case DataFormat::image_folder:
    case DataFormat::webdataset:
      return open_encoded_reader(config, shape);
    case DataFormat::cifar10:
    case DataFormat::cifar100:
      return open_cifar_reader(config, shape);
    case DataFormat::hdf5:
      return open_hdf5_reader(config, shape);
    case DataFormat::automatic:
      break;
  }
  no_reader();
}

}  // namespace polyhead::data
