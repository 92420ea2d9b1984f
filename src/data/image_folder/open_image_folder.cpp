#include "open_image_folder.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "class_folders.hpp"
#include "data/encoded/encoded_dataset.hpp"
#include "data/encoded/encoded_reader.hpp"
#include "data/files/relative_path.hpp"
#include "data/index/sample_index_builder.hpp"
#include "data/list/manifest.hpp"
#include "image_folder.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/image/file_kind.hpp"

namespace polyhead::data {
namespace {

std::unique_ptr<Dataset> open_manifest(const config::Data& config, const std::filesystem::path& index) {
  if (!is_manifest_name(config.path.native())) {
    const auto kind = image::kind_of_file(config.path.native());
    throw Error(ExitCode::bad_data,
                fmt::format("{}: found {}; expected a folder of images, or a manifest (.csv, .tsv, .txt)",
                            config.path.native(), kind ? kind->name : "a file"));
  }
  const std::string path = absolute_text(config.path);
  const std::string folder = path.substr(0, std::max<std::size_t>(1, path.rfind('/')));
  const std::string root = config.root.empty() ? folder : absolute_text(config.root);
  const bool named = !config.classes.entries.empty() || !config.classes.file.empty();
  const ListPlace place{path, root, !config.root.empty(), config.columns, named};
  // Lists that older versions indexed may have other labels.
  const std::string source = fmt::format("manifest 2\n{}\n{}\n{}\n{} {}", path, root, config.columns.path,
                                         config.columns.label, named);
  auto samples =
      list_samples(index, source, root, [&](SampleIndexBuilder& builder) { scan_manifest(place, builder); });
  return encoded_dataset(config, std::move(samples), EncodedKind{"manifest", root});
}

}  // namespace

std::unique_ptr<Dataset> open_image_folder(const config::Data& config, const std::filesystem::path& index) {
  static_cast<void>(encoded_shape(config));  // checked before a scan that may take long
  std::error_code ignored;
  if (!std::filesystem::is_directory(config.path, ignored)) return open_manifest(config, index);
  const std::string path = absolute_text(config.path);
  auto samples = list_samples(index, fmt::format("image-folder\n{}", path), path,
                              [&](SampleIndexBuilder& builder) { scan_image_folder(path, builder); });
  if (config.classes.entries.empty() && config.classes.file.empty()) {
    const std::string doubt = doubt_about_classes(samples.class_names());
    if (!doubt.empty()) log::warning(fmt::format("data: {}: {}", path, doubt));
  }
  return encoded_dataset(config, std::move(samples), EncodedKind{"image-folder", path});
}

bool is_manifest_file(const std::string& path, std::int64_t /*size*/) {
  return is_manifest_name(path);
}

}  // namespace polyhead::data
