#include "polyhead/model/pickle.hpp"

#include <array>
#include <bit>

#include <fmt/format.h>

#include "fail.hpp"
#include "pickle_globals.hpp"
#include "pickle_machine.hpp"
#include "pickle_opcodes.hpp"

namespace polyhead::model::pickle {
namespace {

constexpr std::uint8_t kNewestProtocol = 5;
constexpr std::string_view kAdvice = "only tensors and containers are read; save model.state_dict()";

struct Refused {
  std::uint8_t opcode;
  std::string_view name;
};
constexpr std::array<Refused, 7> kRefused{{{op::kObj, "OBJ"},
                                           {op::kNewObj, "NEWOBJ"},
                                           {op::kNewObjEx, "NEWOBJ_EX"},
                                           {op::kExt1, "EXT1"},
                                           {op::kExt2, "EXT2"},
                                           {op::kExt4, "EXT4"},
                                           {op::kPersId, "PERSID"}}};

}  // namespace

Document Machine::run() {
  for (;;) {
    const std::uint8_t opcode = in_.opcode();
    if (opcode == op::kStop) return {std::move(objects_), pop()};
    const bool known = run_constant(opcode) || run_text(opcode) || run_container(opcode) ||
                       run_fill(opcode) || run_memo(opcode) || run_global(opcode);
    if (!known) refuse(opcode);
  }
}

bool Machine::run_constant(std::uint8_t opcode) {
  switch (opcode) {
    case op::kProto:
      if (in_.number<std::uint8_t>() > kNewestProtocol) in_.fail("the pickle's protocol is not known");
      return true;
    case op::kFrame:
      in_.number<std::uint64_t>();
      return true;
    case op::kNone:
      push(None{});
      return true;
    case op::kTrue:
    case op::kFalse:
      push(opcode == op::kTrue);
      return true;
    case op::kBinInt:
      push(std::int64_t{in_.number<std::int32_t>()});
      return true;
    case op::kBinInt1:
      push(std::int64_t{in_.number<std::uint8_t>()});
      return true;
    case op::kBinInt2:
      push(std::int64_t{in_.number<std::uint16_t>()});
      return true;
    case op::kLong1:
      push_long(in_.number<std::uint8_t>());
      return true;
    case op::kLong4:
      push_long(in_.number<std::uint32_t>());
      return true;
    case op::kBinFloat:  // big-endian, alone among the numbers
      push(std::bit_cast<double>(__builtin_bswap64(in_.number<std::uint64_t>())));
      return true;
    default:
      return false;
  }
}

bool Machine::run_text(std::uint8_t opcode) {
  switch (opcode) {
    case op::kBinUnicode:
      push(in_.text(in_.number<std::uint32_t>()));
      return true;
    case op::kShortBinUnicode:
      push(in_.text(in_.number<std::uint8_t>()));
      return true;
    case op::kBinUnicode8:
      push(in_.text(in_.number<std::uint64_t>()));
      return true;
    default:
      return false;
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
      push_global(module + "." + in_.line());
      return true;
    }
    case op::kInst: {  // calls what it names
      const std::string module = in_.line();
      refuse_global(module + "." + in_.line());
    }
    case op::kStackGlobal: {
      const std::string name = as<std::string>(pop(), "a name");
      push_global(as<std::string>(pop(), "a module's name") + "." + name);
      return true;
    }
    case op::kBinPersId:
      push_storage();
      return true;
    case op::kReduce:
      reduce();
      return true;
    default:
      return false;
  }
}

void Machine::refuse(std::uint8_t opcode) const {
  for (const Refused& refused : kRefused) {
    if (refused.opcode != opcode) continue;
    in_.fail(fmt::format("refuses to load an object built by the opcode {}: {}", refused.name, kAdvice));
  }
  in_.fail(fmt::format("unexpected opcode 0x{:02x}: the pickle is damaged or not from torch.save", opcode));
}

void Machine::refuse_global(const std::string& name) const {
  in_.fail(fmt::format("refuses to load '{}': {}", printable(name), kAdvice));
}

void Machine::push_global(const std::string& name) {
  auto object = find_global(name);
  if (!object) refuse_global(name);
  push(std::move(*object));
}

Document parse(std::span<const std::byte> bytes, const std::string& file) {
  return Machine(bytes, file).run();
}

}  // namespace polyhead::model::pickle
