#include "npy_header.hpp"

#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

namespace polyhead::checkpoint {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kVersionOne = 10;  // bytes before the header's text in version 1; later versions have
                                         // 12
constexpr std::size_t kMaxArrayDimensions = 64;

[[noreturn]] void malformed(std::string_view text) {
  throw std::invalid_argument(fmt::format("its NumPy header is malformed: {}", text));
}

/// Text of the header: a Python dict with exactly the keys descr, fortran_order and shape, in any order.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  NpyHeader parse() {
    NpyHeader header;
    unsigned seen = 0;
    expect('{');
    while (!accept('}')) {
      seen |= read_item(header);
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (seen != 7 || !rest_.empty()) malformed("expected a dict of descr, fortran_order and shape");
    return header;
  }

 private:
  /// Reads an item and returns the bit of its key.
  unsigned read_item(NpyHeader& header) {
    const std::string key = quoted();
    expect(':');
    if (key == "descr") {
      header.dtype = dtype();
      return 1;
    }
    if (key == "fortran_order") {
      header.fortran_order = boolean();
      return 2;
    }
    if (key != "shape") malformed("it has an unknown key");
    header.shape = shape();
    return 4;
  }

  std::string dtype() {
    skip_spaces();
    if (rest_.starts_with('[')) {
      throw std::invalid_argument("it is a structured array; save each field as an array of its own");
    }
    return quoted();
  }

  bool boolean() {
    if (accept_word("True")) return true;
    if (!accept_word("False")) malformed("fortran_order is neither True nor False");
    return false;
  }

  std::vector<std::int64_t> shape() {
    std::vector<std::int64_t> sizes;
    expect('(');
    while (!accept(')')) {
      sizes.push_back(integer());
      if (sizes.size() > kMaxArrayDimensions) malformed("too many dimensions");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }

  std::int64_t integer() {
    skip_spaces();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{} || value < 0) malformed("a dimension is not a whole number");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    if (rest_.starts_with('L')) rest_.remove_prefix(1);  // suffix of Python 2's long
    return value;
  }

  std::string quoted() {
    skip_spaces();
    const char quote = rest_.empty() ? '\0' : rest_.front();
    if (quote != '\'' && quote != '"') malformed("a text is missing");
    const std::size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) malformed("a text has no end");
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }

  void skip_spaces() {
    const std::size_t end = rest_.find_first_not_of(" \n");
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end);
  }
  bool accept_word(std::string_view word) {
    skip_spaces();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool accept(char c) { return accept_word(std::string_view(&c, 1)); }
  void expect(char c) {
    if (!accept(c)) malformed(fmt::format("'{}' is missing", c));
  }

  std::string_view rest_;
};

}  // namespace

NpyHeader parse_npy_header(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic)) throw std::invalid_argument("it does not start as a NumPy array does");
  const auto at = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(text[i])}; };
  if (text.size() < kVersionOne) malformed("the file ends in it (truncated?)");
  const std::size_t version = at(6);
  if (version < 1 || version > 3) malformed(fmt::format("its version is {}, known are 1 to 3", version));
  const std::size_t begin = version == 1 ? kVersionOne : kVersionOne + 2;
  if (text.size() < begin) malformed("the file ends in it (truncated?)");
  const std::size_t length = at(8) | at(9) << 8U | (version == 1 ? 0 : at(10) << 16U | at(11) << 24U);
  if (length > text.size() - begin) malformed("the file ends in it (truncated?)");
  NpyHeader header = HeaderParser(text.substr(begin, length)).parse();
  header.data = begin + length;
  return header;
}

}  // namespace polyhead::checkpoint
