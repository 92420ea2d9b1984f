#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

#include "checkpoint/input_file.hpp"
#include "npy_header.hpp"
#include "polyhead/checkpoint/element_type.hpp"
#include "polyhead/checkpoint/fail.hpp"
#include "polyhead/checkpoint/npz.hpp"
#include "polyhead/checkpoint/shape.hpp"

namespace polyhead::checkpoint {
namespace {

/// Parts of a dtype: "<f4" is '<', 'f' and 4.
struct Dtype {
  char order = '|';
  char kind = 0;
  std::size_t size = 0;  ///< bytes; characters for kind U
};

struct NumberType {
  char kind;
  std::size_t size;
  ElementType type;
};
constexpr std::array<NumberType, 12> kNumberTypes{{{'f', 2, ElementType::f16},
                                                   {'f', 4, ElementType::f32},
                                                   {'f', 8, ElementType::f64},
                                                   {'b', 1, ElementType::boolean},
                                                   {'i', 1, ElementType::i8},
                                                   {'i', 2, ElementType::i16},
                                                   {'i', 4, ElementType::i32},
                                                   {'i', 8, ElementType::i64},
                                                   {'u', 1, ElementType::u8},
                                                   {'u', 2, ElementType::u16},
                                                   {'u', 4, ElementType::u32},
                                                   {'u', 8, ElementType::u64}}};

[[noreturn]] void reject(std::string_view text) {
  throw std::invalid_argument(std::string(text));
}

Dtype parse_dtype(std::string_view text) {
  Dtype dtype;
  if (text.size() < 2 || std::string_view("<>|=").find(text[0]) == std::string_view::npos) {
    reject(fmt::format("its dtype '{}' is not known", printable(text)));
  }
  dtype.order = text[0];
  dtype.kind = text[1];
  if (dtype.kind == 'O') {
    reject(
        "it is an array of Python objects, which NumPy pickles and polyhead never loads; convert it with "
        ".astype() "
        "to numbers or texts");
  }
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data() + 2, end, dtype.size);
  if (error != std::errc{} || last != end || dtype.size > (std::size_t{1} << 30U)) {
    reject(fmt::format("its dtype '{}' is not known", printable(text)));
  }
  return dtype;
}

std::optional<ElementType> number_type(const Dtype& dtype) {
  for (const NumberType& number : kNumberTypes) {
    if (number.kind == dtype.kind && number.size == dtype.size) return number.type;
  }
  return std::nullopt;
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  const auto tail = [&](unsigned shift) { put(0x80U | (code >> shift & 0x3FU)); };
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) reject("it has a text that is not Unicode");
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | code >> 6U);
    tail(0);
  } else if (code < 0x10000) {
    put(0xE0U | code >> 12U);
    tail(6);
    tail(0);
  } else {
    put(0xF0U | code >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

/// One element of kind U (UTF-32) or S (bytes), without the zeros that fill it.
std::string text_of(std::span<const std::byte> element, char kind) {
  std::string text;
  if (kind == 'S') {
    text.assign(reinterpret_cast<const char*>(element.data()), element.size());
    return text.erase(text.find_last_not_of('\0') + 1);
  }
  std::size_t end = element.size();
  const auto code_before = [&](std::size_t at) {
    std::uint32_t code = 0;
    std::memcpy(&code, element.data() + at - sizeof code, sizeof code);
    return code;
  };
  while (end > 0 && code_before(end) == 0) end -= sizeof(std::uint32_t);
  for (std::size_t at = 0; at < end; at += sizeof(std::uint32_t)) {
    append_utf8(text, code_before(at + sizeof(std::uint32_t)));
  }
  return text;
}

/// Reverses the bytes of each unit.
void swap_bytes(std::span<std::byte> bytes, std::size_t unit) {
  for (; bytes.size() >= unit; bytes = bytes.subspan(unit))
    std::reverse(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(unit));
}

/// Reorders from Fortran's order, in which the first axis is contiguous, to C's.
template <class T>
std::vector<T> row_major(std::vector<T> from, const std::vector<std::int64_t>& shape) {
  std::vector<T> to;
  to.reserve(from.size());
  std::vector<std::int64_t> index(shape.size(), 0);
  for (std::size_t done = 0; done < from.size(); ++done) {
    std::int64_t at = 0;
    for (std::size_t axis = shape.size(); axis-- > 0;) at = at * shape[axis] + index[axis];
    to.push_back(std::move(from[static_cast<std::size_t>(at)]));
    for (std::size_t axis = shape.size(); axis-- > 0 && ++index[axis] == shape[axis];) index[axis] = 0;
  }
  return to;
}

void read_numbers(NumpyArray& array, ElementType type, std::span<const std::byte> data, std::size_t elements,
                  bool swapped) {
  std::vector<std::byte> bytes(data.begin(), data.end());
  if (swapped) swap_bytes(bytes, size_of(type));
  array.values.resize(elements);
  convert(type, bytes, std::span(array.values));
}

void read_texts(NumpyArray& array, const Dtype& dtype, std::span<const std::byte> data, std::size_t elements,
                bool swapped) {
  if (elements == 0) return;
  std::vector<std::byte> bytes(data.begin(), data.end());
  if (swapped && dtype.kind == 'U') swap_bytes(bytes, sizeof(std::uint32_t));
  const std::size_t width = data.size() / elements;
  if (width == 0) reject("its texts have no characters");
  array.texts.reserve(elements);
  for (std::size_t i = 0; i < elements; ++i) {
    array.texts.push_back(text_of(std::span(bytes).subspan(i * width, width), dtype.kind));
  }
}

/// Number of elements; first compares their bytes with the `available` ones.
std::size_t check_size(const NpyHeader& header, std::size_t element_size, std::size_t available) {
  const auto count = element_count(header.shape);
  std::size_t bytes = 0;
  if (!count || __builtin_mul_overflow(static_cast<std::size_t>(*count), element_size, &bytes)) {
    reject(fmt::format("its shape {} is not possible", shape_text(header.shape)));
  }
  if (bytes != available) {
    reject(fmt::format("shape {} and dtype '{}' take {} bytes, but it has {} (truncated?)",
                       shape_text(header.shape), header.dtype, bytes, available));
  }
  return static_cast<std::size_t>(*count);
}

NumpyArray parse(std::span<const std::byte> bytes) {
  const NpyHeader header = parse_npy_header(bytes);
  const Dtype dtype = parse_dtype(header.dtype);
  const auto number = number_type(dtype);
  const bool text = dtype.kind == 'U' || dtype.kind == 'S';
  if (!number && !text) {
    reject(
        fmt::format("its dtype '{}' is neither of numbers nor of texts; convert it with .astype('float32')",
                    printable(header.dtype)));
  }
  const std::size_t element_size = dtype.kind == 'U' ? dtype.size * sizeof(std::uint32_t) : dtype.size;
  const auto data = bytes.subspan(header.data);
  const std::size_t elements = check_size(header, element_size, data.size());
  NumpyArray array{header.dtype, header.shape, {}, {}};
  if (number) {
    read_numbers(array, *number, data, elements, dtype.order == '>');
  } else {
    read_texts(array, dtype, data, elements, dtype.order == '>');
  }
  if (header.fortran_order && header.shape.size() > 1) {
    array.values = row_major(std::move(array.values), header.shape);
    array.texts = row_major(std::move(array.texts), header.shape);
  }
  return array;
}

}  // namespace

NumpyArray parse_npy(std::span<const std::byte> bytes, const std::filesystem::path& file,
                     const std::string& name) {
  try {
    return parse(bytes);
  } catch (const std::invalid_argument& error) {
    bad_data(file,
             name.empty() ? error.what() : fmt::format("array '{}': {}", printable(name), error.what()));
  }
}

NumpyArray read_npy(const std::filesystem::path& path) {
  const InputFile file(path);
  return parse_npy(file.read(0, file.size()), path, "");
}

}  // namespace polyhead::checkpoint
