#pragma once

#include <unordered_map>

#include <fmt/format.h>

#include "pickle_cursor.hpp"
#include "polyhead/model/pickle.hpp"

namespace polyhead::model::pickle {

/// The stack machine that a pickle is a program for.
class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& file) : in_(bytes, file) {}
  /// Runs to STOP.
  Document run();

 private:
  // Each takes an opcode if it belongs to its group.
  bool run_constant(std::uint8_t opcode);
  bool run_text(std::uint8_t opcode);
  bool run_container(std::uint8_t opcode);
  bool run_fill(std::uint8_t opcode);
  bool run_memo(std::uint8_t opcode);
  bool run_global(std::uint8_t opcode);
  [[noreturn]] void refuse(std::uint8_t opcode) const;
  [[noreturn]] void refuse_global(const std::string& name) const;

  void push(Object object);
  void push_id(Id id) { stack_.push_back(id); }
  Id pop();
  [[nodiscard]] Id top() const;
  /// Everything above the last mark, which is removed as well.
  std::vector<Id> pop_to_mark();
  void push_tuple(std::size_t size);
  void push_long(std::uint64_t size);
  void store(std::uint64_t index);
  void load(std::uint64_t index);
  void set_items(const std::vector<Id>& pairs);
  void append(const std::vector<Id>& items);
  void push_global(const std::string& name);
  void push_storage();
  void reduce();
  void build();
  [[nodiscard]] Tensor make_tensor(const Tuple& arguments) const;

  /// The object as a T; fails with `what` was expected otherwise.
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
  std::vector<std::size_t> marks_;  ///< heights of the stack
  std::unordered_map<std::uint64_t, Id> memo_;
};

}  // namespace polyhead::model::pickle
