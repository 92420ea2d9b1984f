#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pickle_machine.hpp"
#include "polyhead/checkpoint/fail.hpp"

namespace polyhead::checkpoint::pickle {
namespace {

constexpr std::size_t kMaxDimensions = 16;
constexpr std::size_t kMaxKnownName = 120;  // longer than any known name
constexpr std::string_view kUntyped = "torch.storage.UntypedStorage";

/// Python 3's name of a module. Protocols up to 2 are written with Python 2's names.
std::string_view modern(std::string_view module) {
  if (module == "__builtin__") return "builtins";
  return module == "copy_reg" ? "copyreg" : module;
}

/// Full name of a global. Names may be of any length, and are shown often.
std::string full_name(const std::vector<Object>& objects, const Global& global) {
  const std::string_view module = std::get<std::string>(objects[global.module]);
  const std::string_view name = std::get<std::string>(objects[global.name]);
  return fmt::format("{}.{}", modern(module.substr(0, kMaxKnownName + 1)), name.substr(0, kMaxKnownName + 1));
}

}  // namespace

std::string Machine::known_name(Id id) const {
  const auto* global = std::get_if<Global>(&objects_[id]);
  if (global == nullptr) return {};
  const std::size_t length = std::get<std::string>(objects_[global->module]).size() +
                             std::get<std::string>(objects_[global->name]).size();
  return length > kMaxKnownName ? std::string() : full_name(objects_, *global);
}

/// Makes the result of a call. Tensors are kept; of everything else only the type's name is kept.
void Machine::call(Id callable, const std::vector<Id>& arguments) {
  if (const auto* opaque = std::get_if<Opaque>(&objects_[callable])) return push(Opaque{opaque->type, kNoId});
  as<Global>(callable, "something that may be called");
  const auto known = find_callable(known_name(callable));
  push(known ? result(*known, callable, arguments) : Object(Opaque{callable, kNoId}));
}

Object Machine::result(Callable callable, Id global, const std::vector<Id>& arguments) {
  Object inert = Opaque{global, kNoId};
  switch (callable) {
    case Callable::dict:
      return made_dict(arguments);
    case Callable::rebuild_tensor:
      return made_tensor(global, arguments, false);
    case Callable::rebuild_typed_tensor:
      return made_tensor(global, arguments, true);
    case Callable::rebuild_from_type:
      return made_from_type(global, arguments);
    case Callable::rebuild_from_cpu:
      return made_from_cpu(global, arguments);
    case Callable::rebuild_parameter:
      if (arguments.empty()) return inert;
      if (const auto* tensor = std::get_if<Tensor>(&objects_[arguments[0]])) return *tensor;
      if (const auto* opaque = std::get_if<Opaque>(&objects_[arguments[0]])) return *opaque;
      in_.fail("expected a tensor");
    case Callable::size:
      if (arguments.size() != 1) in_.fail("unexpected number of arguments");
      spend(as<Tuple>(arguments[0], "a tuple").items.size());
      return objects_[arguments[0]];
    case Callable::reconstructor: {
      const bool named = !arguments.empty() && std::holds_alternative<Global>(objects_[arguments[0]]);
      return named ? Opaque{arguments[0], kNoId} : inert;
    }
    case Callable::bytes:
      push_builtin("bytes");
      return objects_[pop()];
  }
  return inert;
}

/// Result of dict(), dict(another), OrderedDict([[key, value], ...]) as Python 2 wrote it, or
/// defaultdict(factory).
Object Machine::made_dict(const std::vector<Id>& arguments) {
  Dict dict;
  if (arguments.empty()) return dict;
  const Object& from = objects_[arguments.back()];
  if (const auto* other = std::get_if<Dict>(&from)) {
    spend(other->items.size());
    return *other;
  }
  const auto* pairs = std::get_if<List>(&from);
  if (pairs == nullptr) return dict;
  spend(pairs->items.size());
  for (const Id pair : pairs->items) {
    const auto* list = std::get_if<List>(&objects_[pair]);
    const auto* tuple = std::get_if<Tuple>(&objects_[pair]);
    if (list == nullptr && tuple == nullptr) in_.fail("expected pairs to make a dict of");
    const std::vector<Id>& items = list != nullptr ? list->items : tuple->items;
    if (items.size() != 2) in_.fail("expected pairs to make a dict of");
    dict.items.emplace_back(items[0], items[1]);
  }
  return dict;
}

/// Tensor from (storage, offset, shape, strides[, requires_grad, hooks[, dtype][, metadata]]).
Object Machine::made_tensor(Id global, const std::vector<Id>& items, bool typed) {
  if (items.size() < (typed ? 7 : 4)) in_.fail("unexpected number of arguments");
  if (const auto* opaque = std::get_if<Opaque>(&objects_[items[0]])) return *opaque;
  Tensor tensor{as<Storage>(items[0], "a storage"), as<std::int64_t>(items[1], "a tensor's offset"),
                integers(items[2]), integers(items[3])};
  Storage& storage = tensor.storage;
  if (storage.unread != kNoId) return Opaque{storage.unread, kNoId};
  if (storage.untyped != typed) return Opaque{global, kNoId};
  if (typed) {
    const auto type = find_dtype(known_name(items[6]));
    if (!type) return Opaque{std::holds_alternative<Global>(objects_[items[6]]) ? items[6] : global, kNoId};
    storage.type = *type;
    storage.elements /= static_cast<std::int64_t>(size_of(*type));
  }
  if (tensor.offset < 0 || __builtin_add_overflow(tensor.offset, storage.offset, &tensor.offset)) {
    in_.fail("a tensor's offset is not possible");
  }
  return tensor;
}

/// Tensor from (function, class, arguments, state): one with attributes, or of a subclass.
Object Machine::made_from_type(Id global, const std::vector<Id>& items) {
  if (items.size() != 4) in_.fail("unexpected number of arguments");
  const auto& arguments = as<Tuple>(items[2], "a tuple of arguments").items;
  const auto function = find_callable(known_name(items[0]));
  const bool class_named = std::holds_alternative<Global>(objects_[items[1]]);
  Object inert = Opaque{class_named ? items[1] : global, kNoId};
  if (!is_plain_tensor_class(known_name(items[1])) || !function) return inert;
  if (*function == Callable::rebuild_from_type) return inert;  // these are never nested
  spend(arguments.size());
  Object made = result(*function, items[0], std::vector<Id>(arguments));
  return std::holds_alternative<Tensor>(made) ? made : inert;
}

/// Tensor from (tensor, dtype, device, requires_grad): one from an accelerator unlike CUDA, such as XLA.
Object Machine::made_from_cpu(Id global, const std::vector<Id>& items) const {
  if (items.size() != 4) in_.fail("unexpected number of arguments");
  const auto* tensor = std::get_if<Tensor>(&objects_[items[0]]);
  const bool same = tensor != nullptr && find_dtype(known_name(items[1])) == tensor->storage.type;
  return same ? Object(*tensor) : Object(Opaque{global, kNoId});
}

/// Sets an object's state. Attributes do not matter here, except in the oldest way to save a tensor:
/// torch.Tensor(), then its storage.
void Machine::build() {
  const Id state = pop();
  Object& object = objects_[top()];
  if (auto* opaque = std::get_if<Opaque>(&object)) {
    opaque->state = state;
    const auto* parts = std::get_if<Tuple>(&objects_[state]);
    const bool storage = parts != nullptr && parts->items.size() == 4 &&
                         std::holds_alternative<Storage>(objects_[parts->items[0]]);
    if (storage && known_name(opaque->type) == "torch.Tensor") {
      object = made_tensor(opaque->type, std::vector<Id>(parts->items), false);
    }
    return;
  }
  const bool attributes = std::holds_alternative<Dict>(object) || std::holds_alternative<Tensor>(object) ||
                          std::holds_alternative<Global>(object);
  if (!attributes) in_.fail("expected an object to set attributes of");
}

/// Pushes ('storage', class, key, device, elements[, view]), or ('module', class, file, source) of the format
/// before 1.6.
void Machine::push_persistent() {
  const auto& description = as<Tuple>(pop(), "a storage's description");
  const auto& items = description.items;
  const auto* kind = items.empty() ? nullptr : std::get_if<std::string>(&objects_[items[0]]);
  if (kind != nullptr && *kind == "module" && items.size() == 4) return push_id(items[1]);
  if (kind == nullptr || *kind != "storage" || (items.size() != 5 && items.size() != 6)) {
    in_.fail("expected ('storage', class, key, device, elements)");
  }
  push_storage(description);
}

void Machine::push_storage(const Tuple& description) {
  const auto& items = description.items;
  as<Global>(items[1], "a storage's class");
  as<std::string>(items[2], "a storage's key");
  const std::string name = known_name(items[1]);
  Storage storage{find_storage_type(name).value_or(ElementType::u8), items[2],
                  as<std::int64_t>(items[4], "a storage's size")};
  storage.untyped = name == kUntyped;
  if (!find_storage_type(name) && !storage.untyped) storage.unread = items[1];
  storage.element_size =
      storage.unread == kNoId ? static_cast<std::uint8_t>(size_of(storage.type)) : unread_element_size(name);
  if (items.size() == 6 && !std::holds_alternative<None>(objects_[items[5]])) {
    const auto& view = as<Tuple>(items[5], "a storage's view").items;  // (key, offset, size)
    if (view.size() != 3) in_.fail("expected a storage's view");
    storage.offset = as<std::int64_t>(view[1], "a view's offset");
    const std::int64_t size = as<std::int64_t>(view[2], "a view's size");
    if (storage.offset < 0 || size < 0 || size > storage.elements - storage.offset) {
      in_.fail("a view reaches outside its storage");
    }
    storage.elements = storage.offset + size;
  }
  push(storage);
}

std::vector<std::int64_t> Machine::integers(Id id) const {
  const auto& tuple = as<Tuple>(id, "a tuple of integers").items;
  if (tuple.size() > kMaxDimensions) in_.fail(fmt::format("a tensor has {} dimensions", tuple.size()));
  std::vector<std::int64_t> values;
  values.reserve(tuple.size());
  for (const Id item : tuple) values.push_back(as<std::int64_t>(item, "an integer"));
  return values;
}

std::string type_name(const Document& document, Id id) {
  constexpr std::array<std::string_view, std::variant_size_v<Object>> kNames{
      "NoneType", "bool", "int",  "float",  "str",           "tuple",
      "list",     "dict", "type", "object", "torch storage", "torch.Tensor"};
  const Object& object = document.objects[id];
  const auto* opaque = std::get_if<Opaque>(&object);
  if (opaque == nullptr) return std::string(kNames[object.index()]);
  const auto* global = std::get_if<Global>(&document.objects[opaque->type]);
  if (global == nullptr) return "object";
  const std::string name = full_name(document.objects, *global);
  constexpr std::string_view kBuiltins = "builtins.";
  return printable(std::string_view(name).substr(name.starts_with(kBuiltins) ? kBuiltins.size() : 0));
}

bool is_module(const Document& document, Id id) {
  const auto* opaque = std::get_if<Opaque>(&document.objects[id]);
  if (opaque == nullptr || opaque->state == kNoId) return false;
  const auto* state = std::get_if<Dict>(&document.objects[opaque->state]);
  if (state == nullptr) return false;
  return std::any_of(state->items.begin(), state->items.end(), [&](const auto& item) {
    const auto* key = std::get_if<std::string>(&document.objects[item.first]);
    return key != nullptr && *key == "_modules";
  });
}

}  // namespace polyhead::checkpoint::pickle
