#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "fail.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/model/checkpoint.hpp"
#include "polyhead/model/pickle.hpp"
#include "polyhead/model/zip.hpp"
#include "pth_tensor.hpp"

namespace polyhead::model {
namespace {

constexpr std::uint64_t kLargestPickle = std::uint64_t{32} << 20U;  // 150,000 tensors
constexpr int kDeepestWrapper = 4;
constexpr std::array<std::string_view, 5> kWrappers{"state_dict", "model_state_dict", "model", "net",
                                                    "module"};

/// "NAME" when the file has "NAME/data.pkl".
std::string find_folder(const std::filesystem::path& file, const ZipReader& zip) {
  constexpr std::string_view kPickle = "/data.pkl";
  std::optional<std::string> folder;
  for (const auto& [name, record] : zip.records()) {
    if (!name.ends_with(kPickle)) continue;
    if (folder) bad_data(file, "is a zip file with several data.pkl");
    folder = name.substr(0, name.size() - kPickle.size());
  }
  if (!folder) bad_data(file, "is a zip file, but not one of torch.save: it has no data.pkl");
  if (zip.find(*folder + "/constants.pkl") != nullptr) {
    bad_data(file, "is a TorchScript archive; save model.state_dict() with torch.save instead");
  }
  return *folder;
}

std::vector<std::byte> read_record(const ZipReader& zip, const std::string& name,
                                   const ZipReader::Record& record) {
  return zip.read(zip.verified_data(name, record), record.size);
}

void check_byte_order(const std::filesystem::path& file, const ZipReader& zip, const std::string& folder) {
  constexpr std::string_view kLittle = "little";
  const std::string name = folder + "/byteorder";
  const auto* record = zip.find(name);
  if (record == nullptr) return;  // before PyTorch 2.1; little-endian in practice
  std::string order;
  if (record->size <= kLittle.size()) {
    for (const std::byte byte : read_record(zip, name, *record)) order += static_cast<char>(byte);
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
  if (record.size > kLargestPickle) {
    bad_data(file, fmt::format("has a data.pkl of {}, more than {}: not a state_dict",
                               human_bytes(record.size), human_bytes(kLargestPickle)));
  }
  return pickle::parse(read_record(zip, name, record), file.string());
}

/// Finds the state_dict among what was saved.
class StateDictFinder {
 public:
  StateDictFinder(const std::filesystem::path& file, const pickle::Document& document)
      : file_(file), document_(document) {}

  [[nodiscard]] const pickle::Dict& find() const {
    const auto* dict = get<pickle::Dict>(document_.root);
    if (dict == nullptr) bad_data(file_, "does not hold a dict; save model.state_dict()");
    for (int depth = 0; depth < kDeepestWrapper; ++depth) {
      const pickle::Dict* inner = wrapped(*dict);
      if (inner == nullptr) break;
      dict = inner;
    }
    if (!has_tensor(*dict)) {
      bad_data(file_,
               fmt::format("holds no tensors under its keys ({}); save model.state_dict()", keys(*dict)));
    }
    return *dict;
  }

 private:
  template <class T>
  const T* get(pickle::Id id) const {
    return std::get_if<T>(&document_.objects[id]);
  }

  [[nodiscard]] const pickle::Dict* wrapped(const pickle::Dict& dict) const {
    for (const std::string_view wrapper : kWrappers) {
      for (const auto& [key, value] : dict.items) {
        const auto* name = get<std::string>(key);
        const auto* inner = get<pickle::Dict>(value);
        if (name != nullptr && *name == wrapper && inner != nullptr) return inner;
      }
    }
    return nullptr;
  }

  [[nodiscard]] bool has_tensor(const pickle::Dict& dict) const {
    return std::any_of(dict.items.begin(), dict.items.end(),
                       [&](const auto& item) { return get<pickle::Tensor>(item.second) != nullptr; });
  }

  [[nodiscard]] std::string keys(const pickle::Dict& dict) const {
    constexpr std::size_t kMost = 8;
    std::vector<std::string> names;
    for (const auto& [key, value] : dict.items) {
      if (names.size() == kMost) break;
      if (const auto* name = get<std::string>(key)) names.push_back(printable(*name));
    }
    if (dict.items.size() > names.size()) names.emplace_back("...");
    return names.empty() ? "none" : join(names);
  }

  const std::filesystem::path& file_;
  const pickle::Document& document_;
};

}  // namespace

Checkpoint read_pth(const std::filesystem::path& path) {
  const ZipReader zip(path);
  const std::string folder = find_folder(path, zip);
  check_byte_order(path, zip, folder);
  const pickle::Document document = read_pickle(path, zip, folder);
  TensorReader reader(zip, path, folder, document);
  std::set<std::string> seen;
  Checkpoint tensors;
  for (const auto& [key, value] : StateDictFinder(path, document).find().items) {
    const auto* tensor = std::get_if<pickle::Tensor>(&document.objects[value]);
    if (tensor == nullptr) continue;  // `_extra_state` and the like
    const auto* name = std::get_if<std::string>(&document.objects[key]);
    if (name == nullptr) bad_data(path, "has a tensor whose name is not a text");
    if (!seen.insert(*name).second) bad_data(path, fmt::format("has '{}' twice", printable(*name)));
    tensors.push_back(reader.read(*name, *tensor));
  }
  return tensors;
}

}  // namespace polyhead::model
