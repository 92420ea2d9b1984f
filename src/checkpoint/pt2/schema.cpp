#include "schema.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "polyhead/checkpoint/fail.hpp"

namespace polyhead::checkpoint::exported {
namespace {

constexpr int kDeepest = 64;
constexpr std::size_t kFewKeys = 64;  // objects with more are maps by name, whose readers look themselves

/// torch._export.serde.schema.ScalarType
constexpr std::array<std::pair<std::int64_t, ElementType>, 13> kTypes{{{1, ElementType::u8},
                                                                       {2, ElementType::i8},
                                                                       {3, ElementType::i16},
                                                                       {4, ElementType::i32},
                                                                       {5, ElementType::i64},
                                                                       {6, ElementType::f16},
                                                                       {7, ElementType::f32},
                                                                       {8, ElementType::f64},
                                                                       {12, ElementType::boolean},
                                                                       {13, ElementType::bf16},
                                                                       {28, ElementType::u16},
                                                                       {29, ElementType::f8_e4m3fn},
                                                                       {30, ElementType::f8_e5m2}}};

}  // namespace

Fields::Fields(const std::filesystem::path& file, const Json& json, std::string place)
    : file_(file), json_(json), place_(std::move(place)) {
  if (!json.is_object()) fail("is no object");
}

void Fields::fail(std::string_view text) const {
  bad_data(file_, fmt::format("{}: {}", printable(place_), text));
}

const Json* Fields::find(const char* key) const {
  const auto found = json_.find(key);
  return found == json_.end() ? nullptr : &*found;
}

const Json& Fields::at(const char* key) const {
  const Json* const found = find(key);
  if (found == nullptr) fail(fmt::format("has no {}", key));
  return *found;
}

const std::string& Fields::text(const char* key) const {
  const Json& value = at(key);
  if (!value.is_string()) fail(fmt::format("{} is no text", key));
  return value.get_ref<const std::string&>();
}

std::int64_t Fields::integer(const char* key) const {
  return integer_of(*this, at(key), key);
}

bool Fields::truth(const char* key) const {
  const Json& value = at(key);
  if (!value.is_boolean()) fail(fmt::format("{} is neither true nor false", key));
  return value.get<bool>();
}

const Json& Fields::list(const char* key) const {
  const Json& value = at(key);
  if (!value.is_array()) fail(fmt::format("{} is no list", key));
  return value;
}

Fields Fields::object(const char* key) const {
  return {file_, at(key), fmt::format("{}, {}", place_, key)};
}

std::int64_t integer_of(const Fields& fields, const Json& value, std::string_view what) {
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX))
    fields.fail(fmt::format("{} is no whole number of 63 bits", what));
  return value.get<std::int64_t>();
}

Choice choice_of(const Fields& fields) {
  if (fields.json().size() != 1) fields.fail("has not exactly one kind of value");
  const auto item = fields.json().begin();
  return {item.key(), item.value()};
}

ElementType element_type(const Fields& fields, std::int64_t number) {
  const auto* const found = std::ranges::find(kTypes, number, &decltype(kTypes)::value_type::first);
  if (found == kTypes.end()) {
    fields.fail(fmt::format(
        "has elements of type {} of the schema (complex, quantised or new), which is not read", number));
  }
  return found->second;
}

std::vector<std::int64_t> plain_integers(const Fields& fields, const char* key) {
  std::vector<std::int64_t> values;
  for (const Json& item : fields.list(key))
    values.push_back(Fields(fields.file(), item, fmt::format("an item of {}", key)).integer("as_int"));
  return values;
}

void Guard::follow(int depth, Json::parse_event_t event, const Json& parsed) {
  using Event = Json::parse_event_t;
  if (depth > kDeepest) bad_data(file_, "has malformed JSON: it is nested too deep");
  if (event == Event::object_start) keys_.emplace_back();
  if (event == Event::object_end) keys_.pop_back();
  if (event != Event::key) return;
  const auto& key = parsed.get_ref<const std::string&>();
  std::vector<std::string>& known = keys_.back();
  if (std::ranges::find(known, key) != known.end())
    bad_data(file_, fmt::format("has '{}' twice in one object of its JSON", printable(key)));
  if (known.size() < kFewKeys) known.push_back(key);
}

}  // namespace polyhead::checkpoint::exported
