#include <bit>

#include "pickle_machine.hpp"
#include "pickle_opcodes.hpp"

namespace polyhead::checkpoint::pickle {
namespace {

constexpr std::uint8_t kNewestProtocol = 5;

/// Text from Python 2's repr; escapes are left as they are.
std::string unquoted(const std::string& line) {
  const bool quoted = line.size() >= 2 && line.front() == line.back() && (line[0] == '\'' || line[0] == '"');
  return quoted ? line.substr(1, line.size() - 2) : line;
}

}  // namespace

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
    case op::kBinFloat:  // the only big-endian number
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
    case op::kBinString:
      push(in_.text(in_.number<std::uint32_t>()));
      return true;
    case op::kShortBinString:
      push(in_.text(in_.number<std::uint8_t>()));
      return true;
    default:
      return false;
  }
}

/// Runs the opcodes that no tensor needs: bytes and sets.
bool Machine::run_bytes(std::uint8_t opcode) {
  switch (opcode) {
    case op::kBinBytes:
      push_bytes("bytes", in_.number<std::uint32_t>());
      return true;
    case op::kShortBinBytes:
      push_bytes("bytes", in_.number<std::uint8_t>());
      return true;
    case op::kBinBytes8:
      push_bytes("bytes", in_.number<std::uint64_t>());
      return true;
    case op::kByteArray8:
      push_bytes("bytearray", in_.number<std::uint64_t>());
      return true;
    case op::kEmptySet:
      push_builtin("set");
      return true;
    case op::kAddItems:
      pop_to_mark();
      set_items({});
      return true;
    case op::kFrozenSet:
      pop_to_mark();
      push_builtin("frozenset");
      return true;
    default:
      return false;
  }
}

/// Runs the opcodes of protocols 0 and 1.
bool Machine::run_line(std::uint8_t opcode) {
  switch (opcode) {
    case op::kString:
      push(unquoted(in_.line()));
      return true;
    case op::kUnicode:
      push(in_.line());
      return true;
    case op::kInt:
    case op::kLong:
      push_int_line();
      return true;
    case op::kFloat:
      push_float_line();
      return true;
    case op::kPut:
      store(index_line());
      return true;
    case op::kGet:
      load(index_line());
      return true;
    case op::kList:
      push(List{pop_to_mark()});
      return true;
    case op::kDict:
      push_dict(pop_to_mark());
      return true;
    default:
      return false;
  }
}

}  // namespace polyhead::checkpoint::pickle
