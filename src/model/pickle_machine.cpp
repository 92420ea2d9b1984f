#include "pickle_machine.hpp"

#include <fmt/format.h>

namespace polyhead::model::pickle {
namespace {

constexpr std::size_t kMostObjects = 8'000'000;  // a state_dict needs about 20 a tensor
constexpr std::size_t kMostDimensions = 16;

}  // namespace

void Machine::push(Object object) {
  if (objects_.size() >= kMostObjects) in_.fail(fmt::format("holds more than {} objects", kMostObjects));
  objects_.push_back(std::move(object));
  push_id(static_cast<Id>(objects_.size() - 1));
}

Id Machine::top() const {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) in_.fail("the pickle is damaged: it takes from an empty stack");
  return stack_.back();
}

Id Machine::pop() {
  const Id id = top();
  stack_.pop_back();
  return id;
}

std::vector<Id> Machine::pop_to_mark() {
  if (marks_.empty()) in_.fail("the pickle is damaged: a mark is missing");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<Id> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

void Machine::push_tuple(std::size_t size) {
  Tuple tuple;
  tuple.items.resize(size);
  for (std::size_t i = size; i-- > 0;) tuple.items[i] = pop();
  push(std::move(tuple));
}

void Machine::push_long(std::uint64_t size) {
  const auto bytes = in_.take(size);
  if (size > sizeof(std::int64_t)) {  // a random seed, say; no tensor needs a number so large
    return push(None{});
  }
  // Two's complement, little-endian, as short as can be: the last byte's sign goes on.
  const bool negative = size > 0 && (bytes.back() & std::byte{0x80}) != std::byte{0};
  std::int64_t value = negative ? -1 : 0;
  std::memcpy(&value, bytes.data(), size);
  push(value);
}

void Machine::store(std::uint64_t index) {
  memo_.insert_or_assign(index, top());
}

void Machine::load(std::uint64_t index) {
  const auto found = memo_.find(index);
  if (found == memo_.end()) in_.fail("the pickle is damaged: it recalls what it never stored");
  push_id(found->second);
}

void Machine::append(const std::vector<Id>& items) {
  auto* list = std::get_if<List>(&objects_[top()]);
  if (list == nullptr) in_.fail("expected a list to append to");
  list->items.insert(list->items.end(), items.begin(), items.end());
}

void Machine::set_items(const std::vector<Id>& pairs) {
  auto* dict = std::get_if<Dict>(&objects_[top()]);
  if (dict == nullptr || pairs.size() % 2 != 0) in_.fail("expected a dict and pairs to set in it");
  for (std::size_t i = 0; i < pairs.size(); i += 2) dict->items.emplace_back(pairs[i], pairs[i + 1]);
}

/// An OrderedDict's attributes (`_metadata`) do not matter here; nothing else has any.
void Machine::build() {
  pop();
  as<Dict>(top(), "an OrderedDict to set attributes of");
}

/// ('storage', class, key, device, elements)
void Machine::push_storage() {
  const auto& tuple = as<Tuple>(pop(), "a storage's description").items;
  if (tuple.size() != 5 || as<std::string>(tuple[0], "'storage'") != "storage") {
    in_.fail("expected ('storage', class, key, device, elements)");
  }
  as<std::string>(tuple[2], "a storage's key");
  push(Storage{as<ElementType>(tuple[1], "a storage's class"), tuple[2],
               as<std::int64_t>(tuple[4], "a storage's size")});
}

void Machine::reduce() {
  const Tuple& arguments = as<Tuple>(pop(), "a tuple of arguments");
  const auto& items = arguments.items;
  const auto expect = [&](bool right) {
    if (!right) in_.fail("unexpected number of arguments");
  };
  switch (as<Callable>(pop(), "something that may be called")) {
    case Callable::ordered_dict:
      expect(items.empty());
      return push(Dict{});
    case Callable::rebuild_tensor:
      expect(items.size() == 6 || items.size() == 7);
      return push(make_tensor(arguments));
    case Callable::rebuild_parameter:
      expect(items.size() == 3);
      as<Tensor>(items[0], "a tensor");
      return push_id(items[0]);
    case Callable::size:
      expect(items.size() == 1);
      as<Tuple>(items[0], "a tuple");
      return push_id(items[0]);
  }
}

/// (storage, offset, shape, strides, requires_grad, hooks[, metadata])
Tensor Machine::make_tensor(const Tuple& arguments) const {
  const auto& items = arguments.items;
  return {as<Storage>(items[0], "a storage"), as<std::int64_t>(items[1], "a tensor's offset"),
          integers(items[2]), integers(items[3])};
}

std::vector<std::int64_t> Machine::integers(Id id) const {
  const auto& tuple = as<Tuple>(id, "a tuple of integers").items;
  if (tuple.size() > kMostDimensions) in_.fail(fmt::format("a tensor has {} dimensions", tuple.size()));
  std::vector<std::int64_t> values;
  values.reserve(tuple.size());
  for (const Id item : tuple) values.push_back(as<std::int64_t>(item, "an integer"));
  return values;
}

}  // namespace polyhead::model::pickle
