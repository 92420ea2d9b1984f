#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "fail.hpp"
#include "input_file.hpp"
#include "polyhead/model/checkpoint.hpp"
#include "polyhead/model/element_type.hpp"
#include "shape.hpp"

namespace polyhead::model {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kLongestHeader = 100'000'000;  // the format's own limit
constexpr int kDeepestHeader = 3;                      // the header, a tensor, its shape

struct Entry {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< from the end of the header
  std::uint64_t end = 0;
};

constexpr std::array<std::pair<std::string_view, ElementType>, 13> kTypes{{{"F16", ElementType::f16},
                                                                           {"BF16", ElementType::bf16},
                                                                           {"F32", ElementType::f32},
                                                                           {"F64", ElementType::f64},
                                                                           {"I8", ElementType::i8},
                                                                           {"U8", ElementType::u8},
                                                                           {"I16", ElementType::i16},
                                                                           {"U16", ElementType::u16},
                                                                           {"I32", ElementType::i32},
                                                                           {"U32", ElementType::u32},
                                                                           {"I64", ElementType::i64},
                                                                           {"U64", ElementType::u64},
                                                                           {"BOOL", ElementType::boolean}}};

std::uint64_t header_length(const InputFile& file) {
  static_assert(std::endian::native == std::endian::little);
  if (file.size() < kLengthBytes) {
    bad_data(file.path(), fmt::format("has {} bytes: too short for a safetensors file", file.size()));
  }
  std::uint64_t length = 0;
  file.read(0, std::as_writable_bytes(std::span(&length, 1)));
  if (length > kLongestHeader) {
    bad_data(file.path(), fmt::format("says that its header has {} bytes, more than safetensors allows ({})",
                                      length, kLongestHeader));
  }
  if (length > file.size() - kLengthBytes) {
    bad_data(file.path(), fmt::format("says that its header has {} bytes, but the file ends after {}: is it "
                                      "truncated?",
                                      length, file.size() - kLengthBytes));
  }
  return length;
}

/// Follows the parser: refuses what a plain DOM would accept in silence.
class HeaderGuard {
 public:
  explicit HeaderGuard(const std::filesystem::path& file) : file_(file) {}

  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth >= kDeepestHeader && (event == Event::object_start || event == Event::array_start)) {
      bad_data(file_, "has a malformed safetensors header: it is nested too deep");
    }
    if (event == Event::object_start) names_.emplace_back();
    if (event == Event::object_end) names_.pop_back();
    if (event == Event::key) check_new(parsed.get_ref<const std::string&>());
    return true;
  }

 private:
  void check_new(const std::string& key) {
    if (names_.back().insert(key).second) return;
    bad_data(file_, fmt::format("has '{}' twice in its safetensors header", printable(key)));
  }
  const std::filesystem::path& file_;
  std::vector<std::set<std::string>> names_;
};

Json parse_header(const InputFile& file, std::uint64_t length) {
  const std::vector<std::byte> bytes = file.read(kLengthBytes, length);
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  try {
    Json header = Json::parse(text, text + length, HeaderGuard(file.path()));
    if (header.is_object()) return header;
  } catch (const Json::exception& error) {
    bad_data(file.path(), fmt::format("has a malformed safetensors header: {}", printable(error.what())));
  }
  bad_data(file.path(), "has a malformed safetensors header: it is not a JSON object");
}

/// The checks of one tensor's entry, with its name in every message.
class EntryReader {
 public:
  EntryReader(const std::filesystem::path& file, const std::string& name, const Json& json)
      : file_(file), name_(name), json_(json) {}

  [[nodiscard]] Entry read() const {
    if (!json_.is_object() || json_.size() != 3)
      fail("must have dtype, shape and data_offsets, nothing else");
    Entry entry{name_, type(), shape(), 0, 0};
    const std::vector<std::int64_t> offsets = integers("data_offsets");
    if (offsets.size() != 2) fail("data_offsets must be two integers");
    entry.begin = static_cast<std::uint64_t>(offsets[0]);
    entry.end = static_cast<std::uint64_t>(offsets[1]);
    check_size(entry);
    return entry;
  }

 private:
  [[noreturn]] void fail(std::string_view text) const {
    bad_data(file_, fmt::format("tensor '{}': {}", printable(name_), text));
  }

  [[nodiscard]] const Json& field(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) fail(fmt::format("{} is missing", key));
    return *found;
  }

  [[nodiscard]] std::vector<std::int64_t> integers(const char* key) const {
    const Json& list = field(key);
    std::vector<std::int64_t> values;
    if (!list.is_array()) fail(fmt::format("{} must be a list of integers", key));
    for (const Json& item : list) {
      if (!item.is_number_unsigned() || item.get<std::uint64_t>() > INT64_MAX) {
        fail(fmt::format("{} must be a list of integers that are not negative", key));
      }
      values.push_back(item.get<std::int64_t>());
    }
    return values;
  }

  [[nodiscard]] ElementType type() const {
    const Json& text = field("dtype");
    if (!text.is_string()) fail("dtype must be a text");
    std::string known;
    for (const auto& [word, type] : kTypes) {
      if (text == word) return type;
      known += fmt::format("{}{}", known.empty() ? "" : ", ", word);
    }
    fail(fmt::format("dtype '{}' cannot be read; known are {}", printable(text.get_ref<const std::string&>()),
                     known));
  }

  [[nodiscard]] std::vector<std::int64_t> shape() const {
    std::vector<std::int64_t> dimensions = integers("shape");
    if (!element_count(dimensions)) fail(fmt::format("shape {} is too large", shape_text(dimensions)));
    return dimensions;
  }

  void check_size(const Entry& entry) const {
    std::int64_t bytes = 0;
    const auto element = static_cast<std::int64_t>(size_of(entry.type));
    if (__builtin_mul_overflow(*element_count(entry.shape), element, &bytes)) {
      fail(fmt::format("shape {} is too large", shape_text(entry.shape)));
    }
    if (entry.begin > entry.end || entry.end - entry.begin != static_cast<std::uint64_t>(bytes)) {
      fail(fmt::format("shape {} takes {} bytes, but its data_offsets are [{}, {}]", shape_text(entry.shape),
                       bytes, entry.begin, entry.end));
    }
  }

  const std::filesystem::path& file_;
  const std::string& name_;
  const Json& json_;
};

void check_metadata(const std::filesystem::path& file, const Json& metadata) {
  const bool texts = metadata.is_object() && std::all_of(metadata.begin(), metadata.end(),
                                                         [](const Json& value) { return value.is_string(); });
  if (!texts) bad_data(file, "has a __metadata__ that is not a map of texts");
}

/// The tensors in the order of their data.
std::vector<Entry> entries_of(const std::filesystem::path& file, const Json& header) {
  std::vector<Entry> entries;
  for (const auto& [name, json] : header.items()) {
    if (name == "__metadata__") {
      check_metadata(file, json);
    } else {
      entries.push_back(EntryReader(file, name, json).read());
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  return entries;
}

/// The format wants every byte after the header to belong to exactly one tensor.
void check_cover(const std::filesystem::path& file, const std::vector<Entry>& entries, std::uint64_t size) {
  std::uint64_t covered = 0;
  for (const Entry& entry : entries) {
    const std::string name = printable(entry.name);
    if (entry.end > size) {
      bad_data(file, fmt::format("tensor '{}' ends at byte {} of the data, but the file has {}: is it "
                                 "truncated?",
                                 name, entry.end, size));
    }
    if (entry.begin < covered) {
      bad_data(file,
               fmt::format("tensor '{}' begins at byte {} of the data and overlaps the tensor before it, "
                           "which ends at {}",
                           name, entry.begin, covered));
    }
    if (entry.begin > covered) {
      bad_data(file, fmt::format("has a hole: bytes {} to {} of the data, before tensor '{}', belong to no "
                                 "tensor",
                                 covered, entry.begin, name));
    }
    covered = entry.end;
  }
  if (covered != size) {
    bad_data(file, fmt::format("has {} bytes of data, but its tensors end at {}", size, covered));
  }
}

}  // namespace

Checkpoint read_safetensors(const std::filesystem::path& path) {
  const InputFile file(path);
  const std::uint64_t length = header_length(file);
  const std::vector<Entry> entries = entries_of(path, parse_header(file, length));
  const std::uint64_t data = kLengthBytes + length;
  check_cover(path, entries, file.size() - data);
  Checkpoint tensors;
  for (const Entry& entry : entries) {
    CheckpointTensor tensor{entry.name, entry.shape, {}};
    tensor.values.resize(static_cast<std::size_t>(*element_count(entry.shape)));
    convert(entry.type, file.read(data + entry.begin, entry.end - entry.begin), tensor.values);
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace polyhead::model
