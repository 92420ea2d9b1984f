#include "pickle_machine.hpp"

#include <charconv>

#include <fmt/format.h>

namespace polyhead::checkpoint::pickle {
namespace {

constexpr std::size_t kMaxObjects = 8'000'000;  // a state_dict needs about 20 per tensor

}  // namespace

Id Machine::add(Object object) {
  if (objects_.size() >= kMaxObjects) in_.fail(fmt::format("holds more than {} objects", kMaxObjects));
  objects_.push_back(std::move(object));
  return static_cast<Id>(objects_.size() - 1);
}

void Machine::push(Object object) {
  push_id(add(std::move(object)));
}

void Machine::spend(std::size_t copies) {
  copies_ += copies;
  if (copies_ > kMaxObjects) in_.fail(fmt::format("copies more than {} objects", kMaxObjects));
}

void Machine::push_global(const std::string& module, const std::string& name) {
  const Id module_id = add(module);
  push(Global{module_id, add(name)});
}

void Machine::push_builtin(std::string_view name) {
  auto known = builtins_.find(name);
  if (known == builtins_.end()) {
    const Id module = add(std::string("builtins"));
    known = builtins_.emplace(name, add(Global{module, add(std::string(name))})).first;
  }
  push(Opaque{known->second, kNoId});
}

void Machine::push_bytes(std::string_view type, std::uint64_t size) {
  in_.take(size);
  push_builtin(type);
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
  if (size > sizeof(std::int64_t)) {  // such as a random seed; no tensor needs a number so large
    return push(None{});
  }
  // Two's complement, little-endian, in as few bytes as possible: the last byte's sign is extended.
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

/// Appends to a list. A list or dict of a subclass is inert and stays empty.
void Machine::append(const std::vector<Id>& items) {
  Object& object = objects_[top()];
  if (std::holds_alternative<Opaque>(object)) return;
  auto* list = std::get_if<List>(&object);
  if (list == nullptr) in_.fail("expected a list to append to");
  list->items.insert(list->items.end(), items.begin(), items.end());
}

void Machine::set_items(const std::vector<Id>& pairs) {
  Object& object = objects_[top()];
  auto* dict = std::get_if<Dict>(&object);
  const bool inert = std::holds_alternative<Opaque>(object);
  if ((dict == nullptr && !inert) || pairs.size() % 2 != 0)
    in_.fail("expected a dict and pairs to set in it");
  if (inert) return;
  for (std::size_t i = 0; i < pairs.size(); i += 2) dict->items.emplace_back(pairs[i], pairs[i + 1]);
}

void Machine::push_dict(const std::vector<Id>& pairs) {
  push(Dict{});
  set_items(pairs);
}

/// Drops the last object, or the last mark when no object follows it.
void Machine::drop() {
  if (!marks_.empty() && marks_.back() == stack_.size()) {
    marks_.pop_back();
  } else {
    pop();
  }
}

/// Pushes "42", "42L", or "00" and "01" for the booleans.
void Machine::push_int_line() {
  const std::string line = in_.line();
  if (line == "00" || line == "01") return push(line == "01");
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error == std::errc::result_out_of_range) return push(None{});  // see push_long
  const std::string_view rest(end, line.data() + line.size());
  if (error != std::errc{} || (!rest.empty() && rest != "L")) in_.fail("expected a whole number");
  push(value);
}

void Machine::push_float_line() {
  const std::string line = in_.line();
  double value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error == std::errc::invalid_argument || end != line.data() + line.size()) in_.fail("expected a number");
  push(value);
}

std::uint64_t Machine::index_line() {
  const std::string line = in_.line();
  std::uint64_t index = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), index);
  if (error != std::errc{} || end != line.data() + line.size()) in_.fail("expected a whole number");
  return index;
}

}  // namespace polyhead::checkpoint::pickle
