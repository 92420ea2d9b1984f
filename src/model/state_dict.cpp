#include "state_dict.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "fail.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::model {
namespace {

using pickle::Dict;

constexpr int kDeepestWrapper = 4;
constexpr std::array<std::string_view, 5> kWrappers{"state_dict", "model_state_dict", "model", "net",
                                                    "module"};

template <class T>
const T* get(const pickle::Document& document, pickle::Id id) {
  return std::get_if<T>(&document.objects[id]);
}

/// The dict under the first known key, or null.
const Dict* wrapped(const pickle::Document& document, const Dict& dict) {
  for (const std::string_view wrapper : kWrappers) {
    for (const auto& [key, value] : dict.items) {
      const auto* name = get<std::string>(document, key);
      const auto* inner = get<Dict>(document, value);
      if (name != nullptr && *name == wrapper && inner != nullptr) return inner;
    }
  }
  return nullptr;
}

bool has_tensor(const pickle::Document& document, const Dict& dict) {
  return std::any_of(dict.items.begin(), dict.items.end(),
                     [&](const auto& item) { return get<pickle::Tensor>(document, item.second) != nullptr; });
}

/// "epoch, optimizer, ..."
std::string keys_of(const pickle::Document& document, const Dict& dict) {
  constexpr std::size_t kMost = 8;
  std::vector<std::string> names;
  for (const auto& [key, value] : dict.items) {
    if (names.size() == kMost) break;
    if (const auto* name = get<std::string>(document, key)) names.push_back(printable(*name));
  }
  if (dict.items.size() > names.size()) names.emplace_back("...");
  return names.empty() ? "none" : join(names);
}

}  // namespace

const Dict& find_state_dict(const std::filesystem::path& file, const pickle::Document& document,
                            const std::string& /*key*/) {
  const auto* dict = get<Dict>(document, document.root);
  if (dict == nullptr) bad_data(file, "does not hold a dict; save model.state_dict()");
  for (int depth = 0; depth < kDeepestWrapper; ++depth) {  // a dict may hold itself
    const Dict* inner = wrapped(document, *dict);
    if (inner == nullptr) break;
    dict = inner;
  }
  if (has_tensor(document, *dict)) return *dict;
  bad_data(file, fmt::format("holds no tensors under its keys ({}); save model.state_dict()",
                             keys_of(document, *dict)));
}

}  // namespace polyhead::model
