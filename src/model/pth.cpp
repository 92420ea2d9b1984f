#include <optional>
#include <set>

#include <fmt/format.h>

#include "fail.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/model/checkpoint.hpp"
#include "polyhead/model/pickle.hpp"
#include "polyhead/model/zip.hpp"
#include "pth_tensor.hpp"
#include "state_dict.hpp"

namespace polyhead::model {
namespace {

constexpr std::uint64_t kLargestPickle = std::uint64_t{32} << 20U;  // 150,000 tensors

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

}  // namespace

Checkpoint read_pth(const std::filesystem::path& path, const std::string& key) {
  const ZipReader zip(path);
  const std::string folder = find_folder(path, zip);
  check_byte_order(path, zip, folder);
  const pickle::Document document = read_pickle(path, zip, folder);
  TensorReader reader(zip, path, folder, document);
  std::set<std::string> seen;
  Checkpoint tensors;
  for (const auto& [name_id, value] : find_state_dict(path, document, key).items) {
    const auto* tensor = std::get_if<pickle::Tensor>(&document.objects[value]);
    if (tensor == nullptr) continue;  // `_extra_state` and the like
    const auto* name = std::get_if<std::string>(&document.objects[name_id]);
    if (name == nullptr) bad_data(path, "has a tensor whose name is not a text");
    if (!seen.insert(*name).second) bad_data(path, fmt::format("has '{}' twice", printable(*name)));
    tensors.push_back(reader.read(*name, *tensor));
  }
  return tensors;
}

}  // namespace polyhead::model
