#include "format_table.hpp"

#include <algorithm>
#include <array>

#include "data/cifar/cifar.hpp"
#include "data/encoded/encoded_reader.hpp"
#include "data/hdf5/hdf5_dataset.hpp"
#include "data/hdf5/hdf5_pixels.hpp"
#include "data/hdf5/hdf5_reader.hpp"
#include "data/image_folder/open_image_folder.hpp"
#include "data/webdataset/open_webdataset.hpp"
#include "polyhead/base/error.hpp"

namespace polyhead::data {
namespace {

using config::DataFormat;

constexpr std::array kFormats{
    Format{.format = DataFormat::cifar10,
           .looks = "CIFAR's binary files",
           .is_file = is_cifar10_file,
           .marks_folder = marks_cifar10,
           .open = open_cifar,
           .open_reader = open_cifar_reader,
           .digest = digest_cifar},
    Format{.format = DataFormat::cifar100,
           .marks_folder = marks_cifar100,
           .open = open_cifar,
           .open_reader = open_cifar_reader,
           .digest = digest_cifar},
    Format{.format = DataFormat::webdataset,
           .looks = "tar shards (WebDataset)",
           .encoded = true,
           .is_file = is_shard_file,
           .marks_folder = is_shard_name,
           .is_pattern = is_shard_pattern,
           .expand = expand_braces,
           .open = open_webdataset,
           .open_reader = open_encoded,
           .digest = digest_encoded},
    Format{.format = DataFormat::image_folder,  // any folder that no other row recognises
           .looks = "a folder of images, a manifest (.csv, .tsv, .txt)",
           .encoded = true,
           .is_file = is_manifest_file,
           .open = open_image_folder,
           .open_reader = open_encoded,
           .digest = digest_encoded},
    Format{.format = DataFormat::hdf5,
           .looks = "an HDF5 file",
           .is_file = is_hdf5_file,
           .open = open_hdf5,
           .open_reader = open_hdf5_samples,
           .digest = digest_hdf5,
           .check_sources = check_hdf5_sources,
           .look_at_pixels = look_at_hdf5_pixels},
};

}  // namespace

std::span<const Format> formats() {
  return kFormats;
}

const Format& format_of(DataFormat format) {
  const auto found = std::ranges::find(kFormats, format, &Format::format);
  if (found != kFormats.end()) return *found;
  throw Error(ExitCode::internal, "data: this format has no reader");
}

}  // namespace polyhead::data
