#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "checkpoint/input_file.hpp"
#include "checkpoint/lookalike.hpp"
#include "legacy_pth.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/checkpoint.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/pickle.hpp"
#include "polyhead/checkpoint/state_dict.hpp"
#include "polyhead/checkpoint/zip.hpp"
#include "pth_tensor.hpp"
#include "zip_storages.hpp"

namespace polyhead::checkpoint {
namespace {

constexpr std::uint64_t kMaxPickle = std::uint64_t{32} << 20U;  // bytes; 150,000 tensors

/// Folder "NAME" when the file has "NAME/data.pkl".
std::string find_folder(const std::filesystem::path& file, const ZipReader& zip) {
  constexpr std::string_view kPickle = "/data.pkl";
  std::vector<std::string> names;
  std::vector<std::string> folders;
  for (const auto& [name, record] : zip.records()) {
    names.push_back(name);
    if (name.ends_with(kPickle)) folders.push_back(name.substr(0, name.size() - kPickle.size()));
  }
  std::sort(names.begin(), names.end());
  const bool torch_save = folders.size() == 1 && zip.find(folders[0] + "/constants.pkl") == nullptr;
  if (torch_save) return folders[0];
  const std::string kind = describe_zip(names);
  bad_data(file, folders.size() > 1 && kind.find("data.pkl") != std::string::npos
                     ? "is a zip file with several data.pkl"
                     : kind);
}

void check_byte_order(const std::filesystem::path& file, const ZipReader& zip, const std::string& folder) {
  constexpr std::string_view kLittle = "little";
  const std::string name = folder + "/byteorder";
  const auto* record = zip.find(name);
  if (record == nullptr) return;  // before PyTorch 2.1; little-endian in practice
  std::string order;
  if (record->size <= kLittle.size()) {
    for (const std::byte byte : zip.contents(name, *record)) order += static_cast<char>(byte);
  }
  if (order != kLittle) {
    bad_data(file, fmt::format("was saved with the byte order '{}', expected 'little': save it again on a "
                               "little-endian machine",
                               printable(order)));
  }
}

pickle::Document read_pickle(const std::filesystem::path& file, const ZipReader& zip,
                             const std::string& folder) {
  const std::string name = folder + "/data.pkl";
  const ZipReader::Record& record = *zip.find(name);
  if (record.size > kMaxPickle) {
    bad_data(file, fmt::format("has a data.pkl of {}, more than {}: not a state_dict",
                               human_bytes(record.size), human_bytes(kMaxPickle)));
  }
  return pickle::parse(zip.contents(name, record), file.string());
}

/// Remedy for a value of this type where a tensor should be.
std::string problem_of(const pickle::Document& document, pickle::Id value) {
  const std::string type = pickle::type_name(document, value);
  if (type.starts_with("numpy.")) {
    return fmt::format("is a {}, not a tensor: save torch.from_numpy(...) of it", type);
  }
  if (type.starts_with("torch.")) {
    return fmt::format(
        "is a {}, which polyhead does not read: save a plain .detach().float().cpu() of it (.to_dense() of a "
        "sparse, .dequantize() of a quantised one)",
        type);
  }
  return fmt::format("is a {}, not a tensor", type);
}

/// Refuses a class whose objects stand where a state_dict should be.
[[noreturn]] void refuse_module(const std::filesystem::path& file, const std::string& type) {
  bad_data(
      file,
      fmt::format("holds a whole model (an object of {}), which only the program that wrote it could load: "
                  "load it there and torch.save(model.state_dict(), FILE)",
                  type));
}

bool holds_tensors(const pickle::Document& document, pickle::Id id) {
  const auto* dict = std::get_if<pickle::Dict>(&document.objects[id]);
  return dict != nullptr && std::any_of(dict->items.begin(), dict->items.end(), [&](const auto& item) {
           return std::holds_alternative<pickle::Tensor>(document.objects[item.second]);
         });
}

/// Refuses a pickled model, alone or in a dict in which nothing else holds tensors.
void check_no_module(const std::filesystem::path& file, const pickle::Document& document) {
  if (pickle::is_module(document, document.root)) {
    refuse_module(file, pickle::type_name(document, document.root));
  }
  if (std::holds_alternative<pickle::Opaque>(document.objects[document.root])) {
    bad_data(
        file,
        fmt::format("holds an object of {}, not a dict of tensors: save model.state_dict() with torch.save",
                    pickle::type_name(document, document.root)));
  }
  const auto* dict = std::get_if<pickle::Dict>(&document.objects[document.root]);
  if (dict == nullptr || holds_tensors(document, document.root)) return;
  pickle::Id module = pickle::kNoId;
  for (const auto& [key, value] : dict->items) {
    if (holds_tensors(document, value)) return;
    if (pickle::is_module(document, value)) module = value;
  }
  if (module != pickle::kNoId) refuse_module(file, pickle::type_name(document, module));
}

Checkpoint read_tensors(const std::filesystem::path& path, const pickle::Document& document,
                        StorageSource& storages, const std::string& key) {
  check_no_module(path, document);
  TensorReader reader(storages, path, document);
  std::set<std::string> seen;
  Checkpoint tensors;
  for (const auto& [name_id, value] : find_state_dict(path, document, key).items) {
    const auto* tensor = std::get_if<pickle::Tensor>(&document.objects[value]);
    const auto* name = std::get_if<std::string>(&document.objects[name_id]);
    if (name == nullptr && tensor == nullptr) continue;
    if (name == nullptr) bad_data(path, "has a tensor whose name is not a text");
    if (!seen.insert(*name).second) bad_data(path, fmt::format("has '{}' twice", printable(*name)));
    tensors.push_back(tensor != nullptr ? reader.read(*name, *tensor)
                                        : CheckpointTensor{*name, {0}, {}, problem_of(document, value)});
  }
  return tensors;
}

Checkpoint read_zip_pth(const std::filesystem::path& path, const std::string& key) {
  const ZipReader zip(path);
  const std::string folder = find_folder(path, zip);
  check_byte_order(path, zip, folder);
  const pickle::Document document = read_pickle(path, zip, folder);
  ZipStorages storages(zip, folder);
  return read_tensors(path, document, storages, key);
}

}  // namespace

Checkpoint read_pth(const std::filesystem::path& path, const std::string& key) {
  if (!is_legacy_pth(first_bytes(path))) return read_zip_pth(path, key);
  LegacyFile file(path);
  return read_tensors(path, file.document(), file, key);
}

}  // namespace polyhead::checkpoint
