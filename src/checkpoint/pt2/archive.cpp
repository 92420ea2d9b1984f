#include <algorithm>

#include <fmt/format.h>

#include "checkpoint/input_file.hpp"
#include "polyhead/checkpoint/exported_program.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/zip.hpp"
#include "weights_config.hpp"

namespace polyhead::checkpoint::exported {
namespace {

constexpr std::string_view kModel = "/models/model.json";
/// The graph of archives before PyTorch 2.8, whose weights are pickled.
constexpr std::string_view kOldModel = "serialized_exported_program.json";

std::vector<std::string> models_of(const ZipReader& zip) {
  std::vector<std::string> names;
  for (const auto& [name, record] : zip.records()) {
    if (name.ends_with(kOldModel) || (name.find("/models/") != std::string::npos && name.ends_with(".json")))
      names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

std::vector<std::byte> contents_of(const std::filesystem::path& file, const ZipReader& zip,
                                   const std::string& name) {
  const ZipReader::Record* const record = zip.find(name);
  if (record == nullptr) bad_data(file, fmt::format("has no record {}", printable(name)));
  return zip.contents(name, *record);
}

/// Folder "NAME" of an archive with one model.
std::string folder_of(const std::filesystem::path& file, const ZipReader& zip) {
  const std::vector<std::string> models = models_of(zip);
  if (models.empty()) bad_data(file, "is no archive of torch.export.save: it has no models/model.json");
  if (models.size() > 1)
    bad_data(file, fmt::format("holds several models ({}, {}): save one a file", models[0], models[1]));
  if (models[0].ends_with(kModel)) return models[0].substr(0, models[0].size() - kModel.size());
  if (models[0].ends_with(kOldModel)) {
    bad_data(
        file,
        "was written by PyTorch 2.7 or earlier, whose archives keep weights as pickles: export the model "
        "again with PyTorch 2.9 or later");
  }
  bad_data(file, fmt::format("has the model {}, not 'model'", models[0]));
}

}  // namespace

struct Archive::Open {
  explicit Open(std::filesystem::path file)
      : path(std::move(file)), zip(path), folder(folder_of(path, zip)) {}

  std::filesystem::path path;
  ZipReader zip;
  std::string folder;
  Program program;
  std::map<std::string, StoredTensor> tensors;  ///< by name in the model

  void add_list(const std::string& kind) {
    const std::string name = fmt::format("{0}/data/{1}/model_{1}_config.json", folder, kind);
    if (zip.find(name) == nullptr) return;
    for (auto& [tensor, stored] : parse_weights_config(path, contents_of(path, zip, name))) {
      stored.record = fmt::format("{}/data/{}/{}", folder, kind, stored.record);
      if (!tensors.emplace(tensor, std::move(stored)).second)
        bad_data(path, fmt::format("has the tensor '{}' twice", printable(tensor)));
    }
  }
};

Archive::Archive(std::filesystem::path path) : open_(std::make_unique<Open>(std::move(path))) {
  open_->program =
      parse_program(open_->path, contents_of(open_->path, open_->zip, open_->folder + std::string(kModel)));
  open_->add_list("weights");
  open_->add_list("constants");
  for (const StateTensor& tensor : open_->program.state) {
    if (!open_->tensors.contains(tensor.name)) {
      bad_data(open_->path,
               fmt::format("has no weights '{}', which its graph needs: archives of PyTorch 2.8 "
                           "keep them as pickles; export the model again with PyTorch 2.9 or later",
                           printable(tensor.name)));
    }
  }
}

Archive::~Archive() = default;
Archive::Archive(Archive&&) noexcept = default;
Archive& Archive::operator=(Archive&&) noexcept = default;

const std::filesystem::path& Archive::path() const {
  return open_->path;
}

const Program& Archive::program() const {
  return open_->program;
}

Elements Archive::read(const std::string& name) const {
  const auto found = open_->tensors.find(name);
  if (found == open_->tensors.end())
    bad_data(open_->path, fmt::format("has no tensor '{}'", printable(name)));
  const StoredTensor& stored = found->second;
  return {stored.type, stored.shape,
          contiguous(open_->path, name, stored, contents_of(open_->path, open_->zip, stored.record))};
}

bool is_archive(const std::filesystem::path& path) {
  if (!first_bytes(path, 4).starts_with("PK\x03\x04")) return false;
  return !models_of(ZipReader(path)).empty();
}

}  // namespace polyhead::checkpoint::exported
