#include "safetensors_header.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/shape.hpp"

namespace polyhead::checkpoint {
namespace {

using Json = nlohmann::json;

constexpr int kDeepestHeader = 3;  // the header, a tensor, its shape

constexpr std::array<std::pair<std::string_view, ElementType>, 15> kTypes{
    {{"F8_E4M3", ElementType::f8_e4m3fn},
     {"F8_E5M2", ElementType::f8_e5m2},
     {"F16", ElementType::f16},
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

/// Guard that follows the parser: refuses what a plain DOM would accept silently.
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

Json parse_json(const std::filesystem::path& file, std::string_view text) {
  try {
    Json header = Json::parse(text, HeaderGuard(file));
    if (header.is_object()) return header;
  } catch (const Json::exception& error) {
    bad_data(file, fmt::format("has a malformed safetensors header: {}", printable(error.what())));
  }
  bad_data(file, "has a malformed safetensors header: it is not a JSON object");
}

/// Checks of one tensor's entry; every message has its name.
class EntryReader {
 public:
  EntryReader(const std::filesystem::path& file, const std::string& name, const Json& json)
      : file_(file), name_(name), json_(json) {}

  [[nodiscard]] SafetensorsEntry read() const {
    if (!json_.is_object() || json_.size() != 3)
      fail("must have dtype, shape and data_offsets, nothing else");
    SafetensorsEntry entry{name_, type(), shape(), 0, 0};
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

  void check_size(const SafetensorsEntry& entry) const {
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

}  // namespace

std::vector<SafetensorsEntry> parse_safetensors_header(const std::filesystem::path& file,
                                                       std::string_view header) {
  const Json json_header = parse_json(file, header);
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, json] : json_header.items()) {
    if (name == "__metadata__") {
      check_metadata(file, json);
    } else {
      entries.push_back(EntryReader(file, name, json).read());
    }
  }
  std::stable_sort(entries.begin(), entries.end(), [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  return entries;
}

}  // namespace polyhead::checkpoint
