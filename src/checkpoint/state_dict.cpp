#include "polyhead/checkpoint/state_dict.hpp"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/fail.hpp"

namespace polyhead::checkpoint {
namespace {

using pickle::Dict;

constexpr int kDeepestDict = 8;
constexpr std::size_t kMaxKeys = 8;  // most keys in a message

template <class T>
const T* get(const pickle::Document& document, pickle::Id id) {
  return std::get_if<T>(&document.objects[id]);
}

bool has_tensor(const pickle::Document& document, const Dict& dict) {
  return std::any_of(dict.items.begin(), dict.items.end(),
                     [&](const auto& item) { return get<pickle::Tensor>(document, item.second) != nullptr; });
}

/// A dict of tensors and its position.
struct Place {
  std::string key;
  const Dict* dict;
};

/// Walks through dicts and lists, each once, since one may hold itself. Keys that are numbers are not
/// followed: they are an optimizer's.
class DictWalk {
 public:
  explicit DictWalk(const pickle::Document& document) : document_(document) {
    pending_.push_back({"", document.root, 0});
  }

  std::vector<Place> places() {
    while (!pending_.empty()) {
      const Step step = pending_.back();
      pending_.pop_back();
      if (seen_.insert(step.id).second) look_at(step);
    }
    return std::move(places_);
  }

 private:
  struct Step {
    std::string key;
    pickle::Id id;
    int depth;
  };

  void look_at(const Step& step) {
    const auto* dict = get<Dict>(document_, step.id);
    if (dict != nullptr && has_tensor(document_, *dict))
      places_.push_back({step.key.empty() ? "." : step.key, dict});
    if (step.depth == kDeepestDict) return;
    std::vector<Step> inner;
    if (dict != nullptr) {
      for (const auto& [key, value] : dict->items) {
        if (const auto* name = get<std::string>(document_, key)) add(step, *name, value, inner);
      }
    } else {
      add_items(step, inner);
    }
    pending_.insert(pending_.end(), inner.rbegin(), inner.rend());
  }

  void add_items(const Step& step, std::vector<Step>& inner) const {
    const auto* list = get<pickle::List>(document_, step.id);
    const auto* tuple = get<pickle::Tuple>(document_, step.id);
    if (list == nullptr && tuple == nullptr) return;
    const auto& items = list != nullptr ? list->items : tuple->items;
    for (std::size_t i = 0; i < items.size(); ++i) add(step, std::to_string(i), items[i], inner);
  }

  void add(const Step& step, const std::string& name, pickle::Id id, std::vector<Step>& inner) const {
    const pickle::Object& object = document_.objects[id];
    const bool holds = std::holds_alternative<Dict>(object) || std::holds_alternative<pickle::List>(object) ||
                       std::holds_alternative<pickle::Tuple>(object);
    if (holds) inner.push_back({step.key.empty() ? name : step.key + "." + name, id, step.depth + 1});
  }

  const pickle::Document& document_;
  std::vector<Step> pending_;  // the last one is next
  std::unordered_set<pickle::Id> seen_;
  std::vector<Place> places_;
};

/// Text "epoch, optimizer, ...".
std::string keys_of(const pickle::Document& document, const Dict& dict) {
  std::vector<std::string> names;
  for (const auto& [key, value] : dict.items) {
    if (names.size() == kMaxKeys) break;
    if (const auto* name = get<std::string>(document, key)) names.push_back(printable(*name));
  }
  if (dict.items.size() > names.size()) names.emplace_back("...");
  return names.empty() ? "none" : join(names);
}

template <class Item>
std::string shown_keys(const std::vector<Item>& items) {
  std::vector<std::string> keys;
  for (const Item& item : items) {
    if (keys.size() < kMaxKeys) keys.push_back(fmt::format("'{}'", printable(item.key)));
  }
  if (items.size() > keys.size()) keys.push_back(fmt::format("{} more", items.size() - keys.size()));
  return join(keys);
}

/// Place with this key, or all places under it.
std::vector<Place> places_under(const std::vector<Place>& places, const std::string& key) {
  std::vector<Place> chosen;
  for (const Place& place : places) {
    if (place.key == key) return {place};
    if (place.key.starts_with(key + ".")) chosen.push_back(place);
  }
  return chosen;
}

std::vector<StateDictEntry> list_entries(const pickle::Document& document, const std::vector<Place>& places) {
  std::vector<StateDictEntry> entries;
  for (const Place& place : places) {
    StateDictEntry& entry = entries.emplace_back();
    entry.key = place.key;
    for (const auto& [name_id, value] : place.dict->items) {
      const auto* name = get<std::string>(document, name_id);
      const auto* tensor = get<pickle::Tensor>(document, value);
      if (name != nullptr && tensor != nullptr) entry.tensors.push_back({*name, tensor->shape, {}});
    }
  }
  return entries;
}

[[noreturn]] void refuse_without_tensors(const std::filesystem::path& file,
                                         const pickle::Document& document) {
  const auto* dict = get<Dict>(document, document.root);
  if (dict == nullptr) bad_data(file, "does not hold a dict; save model.state_dict()");
  bad_data(file, fmt::format("holds no tensors under its keys ({}); save model.state_dict()",
                             keys_of(document, *dict)));
}

}  // namespace

SeveralStateDicts::SeveralStateDicts(const std::filesystem::path& file, std::vector<StateDictEntry> entries)
    : Error(ExitCode::bad_data,
            fmt::format("{}: holds several dicts of tensors, {}: say which is meant with key:", file.string(),
                        shown_keys(entries))),
      entries_(std::make_shared<const std::vector<StateDictEntry>>(std::move(entries))) {}

const Dict& find_state_dict(const std::filesystem::path& file, const pickle::Document& document,
                            const std::string& key) {
  const std::vector<Place> places = DictWalk(document).places();
  if (places.empty()) refuse_without_tensors(file, document);
  const std::vector<Place> chosen = key.empty() ? places : places_under(places, key);
  if (chosen.empty()) {
    bad_data(file, fmt::format("has no tensors under the key '{}', but under {}", printable(key),
                               shown_keys(places)));
  }
  if (chosen.size() > 1) throw SeveralStateDicts(file, list_entries(document, chosen));
  return *chosen.front().dict;
}

}  // namespace polyhead::checkpoint
