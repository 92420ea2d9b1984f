#include "polyhead/checkpoint/pickle.hpp"

#include <array>

#include <fmt/format.h>

#include "pickle_machine.hpp"
#include "pickle_opcodes.hpp"

namespace polyhead::checkpoint::pickle {
namespace {

constexpr std::string_view kAdvice = "save model.state_dict() with torch.save";

struct Refused {
  std::uint8_t opcode;
  std::string_view name;
};
constexpr std::array<Refused, 6> kRefused{{{op::kExt1, "EXT1"},
                                           {op::kExt2, "EXT2"},
                                           {op::kExt4, "EXT4"},
                                           {op::kPersId, "PERSID"},
                                           {op::kNextBuffer, "NEXT_BUFFER"},
                                           {op::kReadOnlyBuffer, "READONLY_BUFFER"}}};

}  // namespace

Document Machine::run() {
  for (;;) {
    const std::uint8_t opcode = in_.opcode();
    if (opcode == op::kStop) {
      const Id root = pop();
      return {std::move(objects_), root, in_.position()};
    }
    const bool known = run_constant(opcode) || run_text(opcode) || run_container(opcode) ||
                       run_fill(opcode) || run_memo(opcode) || run_global(opcode) || run_call(opcode) ||
                       run_bytes(opcode) || run_line(opcode);
    if (!known) refuse(opcode);
  }
}

bool Machine::run_container(std::uint8_t opcode) {
  switch (opcode) {
    case op::kMark:
      marks_.push_back(stack_.size());
      return true;
    case op::kEmptyTuple:
      push(Tuple{});
      return true;
    case op::kTuple1:
    case op::kTuple2:
    case op::kTuple3:
      push_tuple(std::size_t{opcode} - op::kTuple1 + 1);
      return true;
    case op::kTuple: {
      push(Tuple{pop_to_mark()});
      return true;
    }
    case op::kEmptyList:
      push(List{});
      return true;
    case op::kEmptyDict:
      push(Dict{});
      return true;
    default:
      return false;
  }
}

bool Machine::run_fill(std::uint8_t opcode) {
  switch (opcode) {
    case op::kAppend:
      append({pop()});
      return true;
    case op::kAppends:
      append(pop_to_mark());
      return true;
    case op::kSetItem: {
      const Id value = pop();
      set_items({pop(), value});
      return true;
    }
    case op::kSetItems:
      set_items(pop_to_mark());
      return true;
    case op::kBuild:
      build();
      return true;
    case op::kPop:
      drop();
      return true;
    case op::kPopMark:
      pop_to_mark();
      return true;
    case op::kDup:
      push_id(top());
      return true;
    default:
      return false;
  }
}

bool Machine::run_memo(std::uint8_t opcode) {
  switch (opcode) {
    case op::kBinPut:
      store(in_.number<std::uint8_t>());
      return true;
    case op::kLongBinPut:
      store(in_.number<std::uint32_t>());
      return true;
    case op::kMemoize:
      store(memo_.size());
      return true;
    case op::kBinGet:
      load(in_.number<std::uint8_t>());
      return true;
    case op::kLongBinGet:
      load(in_.number<std::uint32_t>());
      return true;
    default:
      return false;
  }
}

bool Machine::run_global(std::uint8_t opcode) {
  switch (opcode) {
    case op::kGlobal: {
      const std::string module = in_.line();
      push_global(module, in_.line());
      return true;
    }
    case op::kStackGlobal: {
      const Id name = pop();
      const Id module = pop();
      as<std::string>(name, "a name");
      as<std::string>(module, "a module's name");
      push(Global{module, name});
      return true;
    }
    case op::kBinPersId:
      push_persistent();
      return true;
    default:
      return false;
  }
}

/// Pops the arguments. The memo may recall a tuple again and again, so its copies count.
std::vector<Id> Machine::pop_arguments() {
  const std::vector<Id>& items = as<Tuple>(pop(), "a tuple of arguments").items;
  spend(items.size());
  return items;
}

/// Runs an opcode for which Python would call something.
bool Machine::run_call(std::uint8_t opcode) {
  switch (opcode) {
    case op::kReduce:
    case op::kNewObj: {
      const std::vector<Id> arguments = pop_arguments();
      call(pop(), arguments);
      return true;
    }
    case op::kNewObjEx: {
      pop();  // arguments by name
      const std::vector<Id> arguments = pop_arguments();
      call(pop(), arguments);
      return true;
    }
    case op::kObj: {
      std::vector<Id> items = pop_to_mark();
      if (items.empty()) in_.fail("expected something that may be called");
      const Id callable = items.front();
      items.erase(items.begin());
      call(callable, items);
      return true;
    }
    case op::kInst: {
      const std::string module = in_.line();
      const std::string name = in_.line();
      const std::vector<Id> arguments = pop_to_mark();
      push_global(module, name);
      call(pop(), arguments);
      return true;
    }
    default:
      return false;
  }
}

void Machine::refuse(std::uint8_t opcode) const {
  for (const Refused& refused : kRefused) {
    if (refused.opcode != opcode) continue;
    in_.fail(
        fmt::format("uses the opcode {}, which needs the program that wrote it: {}", refused.name, kAdvice));
  }
  in_.fail(fmt::format("unexpected opcode 0x{:02x}: the pickle is damaged or not from torch.save", opcode));
}

Document parse(std::span<const std::byte> bytes, const std::string& file) {
  return Machine(bytes, file).run();
}

}  // namespace polyhead::checkpoint::pickle
