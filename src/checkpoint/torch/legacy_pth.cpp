#include "legacy_pth.hpp"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "polyhead/checkpoint/fail.hpp"

namespace polyhead::checkpoint {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kLegacyMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv;
constexpr std::string_view kTextMagic = "L119547037146038801333356L\n";  // magic number in protocols 0 and 1
constexpr std::uint64_t kMaxPickles = std::uint64_t{32} << 20U;          // bytes; limit as in a zip file
constexpr std::uint64_t kVersion = 1001;

/// Reads one pickle after the other.
class Pickles {
 public:
  explicit Pickles(const InputFile& file)
      : name_(file.path().string()), bytes_(file.read(0, std::min(file.size(), kMaxPickles))) {}

  pickle::Document next() {
    pickle::Document document = pickle::parse(std::span(bytes_).subspan(at_), name_);
    at_ += document.size;
    return document;
  }
  [[nodiscard]] std::uint64_t position() const { return at_; }

 private:
  std::string name_;
  std::vector<std::byte> bytes_;
  std::size_t at_ = 0;
};

/// Bytes per element of each storage, by its first description.
std::unordered_map<std::string, std::uint64_t> element_sizes(const pickle::Document& document) {
  std::unordered_map<std::string, std::uint64_t> sizes;
  for (const pickle::Object& object : document.objects) {
    if (const auto* storage = std::get_if<pickle::Storage>(&object)) {
      sizes.emplace(std::get<std::string>(document.objects[storage->key]), storage->element_size);
    }
  }
  return sizes;
}

}  // namespace

bool is_legacy_pth(std::string_view start) {
  const bool binary = start.starts_with('\x80') && start.find(kLegacyMagic) != std::string_view::npos;
  return binary || start.starts_with(kTextMagic);
}

LegacyFile::LegacyFile(const std::filesystem::path& path) : file_(path) {
  Pickles pickles(file_);
  pickles.next();  // the magic number
  const pickle::Document version = pickles.next();
  const auto* number = std::get_if<std::int64_t>(&version.objects[version.root]);
  if (number == nullptr || *number != kVersion) {
    bad_data(path, fmt::format(
                       "is in PyTorch's format from before 1.6, but not in its version {}: torch.load it and "
                       "save model.state_dict() with a current PyTorch",
                       kVersion));
  }
  check_machine(pickles.next());
  document_ = pickles.next();
  const pickle::Document keys = pickles.next();
  find_storages(keys, pickles.position());
}

/// Checks {"protocol_version": 1001, "little_endian": True, "type_sizes": {...}}.
void LegacyFile::check_machine(const pickle::Document& machine) const {
  const auto* dict = std::get_if<pickle::Dict>(&machine.objects[machine.root]);
  if (dict == nullptr) return;
  for (const auto& [key, value] : dict->items) {
    const auto* name = std::get_if<std::string>(&machine.objects[key]);
    const auto* little = std::get_if<bool>(&machine.objects[value]);
    if (name == nullptr || *name != "little_endian" || little == nullptr || *little) continue;
    bad_data(file_.path(), "was saved on a big-endian machine: save it again on a little-endian machine");
  }
}

void LegacyFile::find_storages(const pickle::Document& keys, std::uint64_t offset) {
  const auto* list = std::get_if<pickle::List>(&keys.objects[keys.root]);
  if (list == nullptr) bad_data(file_.path(), "is damaged: the list of its storages is missing");
  const auto sizes = element_sizes(document_);
  for (const pickle::Id id : list->items) {
    const auto* key = std::get_if<std::string>(&keys.objects[id]);
    const auto size = key == nullptr ? sizes.end() : sizes.find(*key);
    if (size == sizes.end()) bad_data(file_.path(), "is damaged: it has a storage that no tensor uses");
    const Place place = place_at(offset, *key, size->second);
    places_[*key] = place;
    offset = place.offset + place.size;
  }
}

/// Storage whose number of elements stands at `offset`.
LegacyFile::Place LegacyFile::place_at(std::uint64_t offset, const std::string& key,
                                       std::uint64_t element_size) const {
  if (element_size == 0) {
    bad_data(file_.path(),
             fmt::format("has a storage '{}' of a type that polyhead does not know: torch.load the file "
                         "and save model.state_dict() with a current PyTorch",
                         printable(key)));
  }
  std::uint64_t elements = 0;
  std::uint64_t bytes = 0;
  const std::uint64_t rest = file_.size() - offset;
  if (rest >= sizeof elements) file_.read(offset, std::as_writable_bytes(std::span(&elements, 1)));
  const bool possible = rest >= sizeof elements && !__builtin_mul_overflow(elements, element_size, &bytes) &&
                        bytes <= rest - sizeof elements;
  if (!possible) {
    bad_data(file_.path(), fmt::format("ends within its storage '{}': is it truncated?", printable(key)));
  }
  return {offset + sizeof elements, bytes};
}

std::optional<std::uint64_t> LegacyFile::size(const std::string& key) const {
  const auto place = places_.find(key);
  if (place == places_.end()) return std::nullopt;
  return place->second.size;
}

std::vector<std::byte> LegacyFile::read(const std::string& key, std::uint64_t offset, std::size_t count) {
  return file_.read(places_.at(key).offset + offset, count);
}

}  // namespace polyhead::checkpoint
