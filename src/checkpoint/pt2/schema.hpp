#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "polyhead/checkpoint/element_type.hpp"

/// Pieces of the schema of exported programs that the graph and the lists of weights have in common.
namespace polyhead::checkpoint::exported {

using Json = nlohmann::json;

/// Reads fields of an object of the JSON. Every message names the file and the place.
class Fields {
 public:
  /// All arguments must outlive the object. `place`: "node 'conv2d'".
  Fields(const std::filesystem::path& file, const Json& json, std::string place);

  /// The field, or null.
  [[nodiscard]] const Json* find(const char* key) const;
  [[nodiscard]] const Json& at(const char* key) const;
  [[nodiscard]] const std::string& text(const char* key) const;
  [[nodiscard]] std::int64_t integer(const char* key) const;
  [[nodiscard]] bool truth(const char* key) const;
  [[nodiscard]] const Json& list(const char* key) const;
  [[nodiscard]] Fields object(const char* key) const;

  [[nodiscard]] const Json& json() const { return json_; }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }
  [[noreturn]] void fail(std::string_view text) const;

 private:
  const std::filesystem::path& file_;
  const Json& json_;
  std::string place_;
};

/// A whole number of 63 bits. `what`: of the message, "min_val".
std::int64_t integer_of(const Fields& fields, const Json& value, std::string_view what = "a number");

/// Key and value of a union: an object with one member, {"as_int": 3}.
struct Choice {
  std::string_view kind;
  const Json& value;
};
Choice choice_of(const Fields& fields);

/// Element type by the schema's number. Fails for types that polyhead does not read.
ElementType element_type(const Fields& fields, std::int64_t number);

/// Integers of a list of {"as_int": N}.
std::vector<std::int64_t> plain_integers(const Fields& fields, const char* key);

/// Parses JSON of bounded depth and without a key that comes twice. Throws Error(bad_data).
class Guard {
 public:
  explicit Guard(const std::filesystem::path& file) : file_(file) {}
  void follow(int depth, Json::parse_event_t event, const Json& parsed);

 private:
  const std::filesystem::path& file_;
  std::vector<std::vector<std::string>> keys_;  ///< of the open objects
};

}  // namespace polyhead::checkpoint::exported
