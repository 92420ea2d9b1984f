#include <string_view>

#include <fmt/format.h>

#include "polyhead/checkpoint/exported_program.hpp"
#include "polyhead/checkpoint/fail.hpp"

namespace polyhead::checkpoint::exported {
namespace {

constexpr int kDeepestExpression = 64;

/// Reads what sympy.srepr writes: Mul(Integer(4), Symbol('s77', positive=True, integer=True)).
/// https://docs.sympy.org/latest/modules/printing.html#sympy.printing.repr.srepr
class Evaluation {
 public:
  Evaluation(const std::filesystem::path& file, std::string_view text, std::string_view symbol,
             std::int64_t value)
      : file_(file), text_(text), symbol_(symbol), value_(value) {}

  std::int64_t all() {
    const std::int64_t result = expression(0);
    if (at_ != text_.size()) fail("has more than one expression");
    return result;
  }

 private:
  [[noreturn]] void fail(std::string_view why) const {
    bad_data(file_, fmt::format("a size of its graph, '{}', {}", printable(text_), why));
  }

  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }

  bool accept(char wanted) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) fail(fmt::format("is malformed: '{}' is missing", wanted));
  }

  std::string_view until(std::string_view ends) {
    skip_spaces();
    const std::size_t end = text_.find_first_of(ends, at_);
    if (end == std::string_view::npos) fail("is malformed: it ends too soon");
    const std::string_view word = text_.substr(at_, end - at_);
    at_ = end;
    return word;
  }

  std::int64_t expression(int depth) {
    if (depth > kDeepestExpression) fail("is nested too deep");
    const std::string_view name = until("(");
    expect('(');
    if (name == "Symbol") return symbol();
    if (name == "Integer") return integer();
    std::int64_t result = expression(depth + 1);
    if (!accept(','))
      fail(fmt::format("has the function '{}' of one argument, which is not read", printable(name)));
    result = apply(name, result, expression(depth + 1));
    while (accept(',')) result = apply(name, result, expression(depth + 1));
    expect(')');
    return result;
  }

  std::int64_t symbol() {
    expect('\'');
    const std::string_view name = until("'");
    expect('\'');
    until(")");
    expect(')');
    if (name != symbol_)
      fail("depends on more than the batch: export the model with the batch as its only dynamic dimension");
    return value_;
  }

  std::int64_t integer() {
    const std::string_view digits = until(")");
    expect(')');
    std::int64_t number = 0;
    const std::size_t first = digits.starts_with('-') ? 1 : 0;
    if (digits.size() == first) fail("is malformed: a number is empty");
    for (const char digit : digits.substr(first)) {
      if (digit < '0' || digit > '9') fail("is malformed: a number has other signs than digits");
      if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, digit - '0', &number))
        fail("is too large");
    }
    return first == 1 ? -number : number;
  }

  std::int64_t apply(std::string_view name, std::int64_t left, std::int64_t right) const {
    std::int64_t result = 0;
    if (name == "Mul") {
      if (__builtin_mul_overflow(left, right, &result)) fail("is too large");
      return result;
    }
    if (name == "Add") {
      if (__builtin_add_overflow(left, right, &result)) fail("is too large");
      return result;
    }
    if (name == "FloorDiv" || name == "Mod") {
      if (right <= 0 || left < 0) fail("divides by what is not positive");
      return name == "Mod" ? left % right : left / right;
    }
    fail(fmt::format("has the function '{}', which is not read", printable(name)));
  }

  const std::filesystem::path& file_;
  std::string_view text_;
  std::string_view symbol_;
  std::int64_t value_;
  std::size_t at_ = 0;
};

}  // namespace

std::int64_t evaluate(const std::filesystem::path& file, const Dimension& dimension,
                      const std::string& symbol, std::int64_t batch) {
  if (const auto* number = std::get_if<std::int64_t>(&dimension)) return *number;
  return Evaluation(file, std::get<std::string>(dimension), symbol, batch).all();
}

}  // namespace polyhead::checkpoint::exported
