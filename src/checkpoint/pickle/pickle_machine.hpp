#pragma once

#include <map>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "pickle_cursor.hpp"
#include "pickle_globals.hpp"
#include "polyhead/checkpoint/pickle.hpp"

namespace polyhead::checkpoint::pickle {

/// Stack machine whose program is a pickle.
class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& file) : in_(bytes, file) {}
  /// Runs to STOP.
  Document run();

 private:
  // Each takes an opcode if it belongs to its group.
  bool run_constant(std::uint8_t opcode);
  bool run_text(std::uint8_t opcode);
  bool run_bytes(std::uint8_t opcode);
  bool run_line(std::uint8_t opcode);
  bool run_container(std::uint8_t opcode);
  bool run_fill(std::uint8_t opcode);
  bool run_memo(std::uint8_t opcode);
  bool run_global(std::uint8_t opcode);
  bool run_call(std::uint8_t opcode);
  [[noreturn]] void refuse(std::uint8_t opcode) const;

  void push(Object object);
  void push_id(Id id) { stack_.push_back(id); }
  Id pop();
  [[nodiscard]] Id top() const;
  /// Removes the last mark and returns everything pushed after it.
  std::vector<Id> pop_to_mark();
  void push_tuple(std::size_t size);
  void push_long(std::uint64_t size);
  void push_bytes(std::string_view type, std::uint64_t size);
  void push_int_line();
  void push_float_line();
  void push_dict(const std::vector<Id>& pairs);
  void store(std::uint64_t index);
  void load(std::uint64_t index);
  void drop();
  std::uint64_t index_line();
  void set_items(const std::vector<Id>& pairs);
  void append(const std::vector<Id>& items);

  /// Adds the object without pushing it.
  Id add(Object object);
  void push_global(const std::string& module, const std::string& name);
  void push_persistent();
  void push_storage(const Tuple& description);
  /// Pushes an inert object of one of Python's own types: "bytes".
  void push_builtin(std::string_view name);
  /// Counts copies like objects: a few bytes may copy a long list again and again.
  void spend(std::size_t copies);
  std::vector<Id> pop_arguments();

  // Results of calling `callable` with `arguments`: described, or inert.
  void call(Id callable, const std::vector<Id>& arguments);
  [[nodiscard]] Object result(Callable callable, Id global, const std::vector<Id>& arguments);
  [[nodiscard]] Object made_dict(const std::vector<Id>& arguments);
  [[nodiscard]] Object made_tensor(Id global, const std::vector<Id>& items, bool typed);
  [[nodiscard]] Object made_from_type(Id global, const std::vector<Id>& items);
  [[nodiscard]] Object made_from_cpu(Id global, const std::vector<Id>& items) const;
  void build();

  /// Name "MODULE.NAME" of a Global as in Python 3. Empty for everything else and for names too long to be
  /// known.
  [[nodiscard]] std::string known_name(Id id) const;

  /// The object as a T; otherwise fails with `what`, which names the expected type.
  template <class T>
  const T& as(Id id, const char* what) const {
    const T* value = std::get_if<T>(&objects_[id]);
    if (value == nullptr) in_.fail(fmt::format("expected {}", what));
    return *value;
  }
  [[nodiscard]] std::vector<std::int64_t> integers(Id id) const;

  Cursor in_;
  std::vector<Object> objects_;
  std::vector<Id> stack_;
  std::vector<std::size_t> marks_;  ///< stack heights of the marks
  std::unordered_map<std::uint64_t, Id> memo_;
  std::map<std::string, Id, std::less<>> builtins_;
  std::size_t copies_ = 0;
};

}  // namespace polyhead::checkpoint::pickle
