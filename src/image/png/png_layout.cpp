#include "png_layout.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>

#include <zlib.h>

namespace polyhead::image {
namespace {

using Bytes = PngLayout::Bytes;

constexpr std::size_t kChunkHeader = 8;
constexpr std::size_t kChecksum = 4;
constexpr std::size_t kMaxPalette = std::size_t{256} * 3;

std::uint32_t number(Bytes bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8U | std::to_integer<std::uint32_t>(bytes[at + i]);
  return value;
}

struct Chunk {
  std::string_view type;
  std::size_t size = 0;  ///< claimed number of bytes
  Bytes data;            ///< the bytes that are there
  Bytes behind;          ///< the file from its checksum on

  [[nodiscard]] bool whole() const { return data.size() == size; }
};

/// Chunk at the start of `file`; nothing unless its header is there and can be valid.
std::optional<Chunk> chunk_at(Bytes file) {
  if (file.size() < kChunkHeader) return std::nullopt;
  const std::string_view type(reinterpret_cast<const char*>(file.data()) + 4, 4);
  const auto is_letter = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  if (!std::ranges::all_of(type, is_letter)) return std::nullopt;
  const std::size_t size = number(file, 0);
  const std::size_t there = std::min(size, file.size() - kChunkHeader);
  return Chunk{type, size, file.subspan(kChunkHeader, there), file.subspan(kChunkHeader + there)};
}

Bytes next(const Chunk& chunk) {
  return chunk.behind.subspan(std::min(kChecksum, chunk.behind.size()));
}

bool checksum_is_right(const Chunk& chunk) {
  auto sum = crc32(0, reinterpret_cast<const Bytef*>(chunk.type.data()), 4);
  if (!chunk.data.empty()) {
    sum = crc32_z(sum, reinterpret_cast<const Bytef*>(chunk.data.data()), chunk.data.size());
  }
  return sum == number(chunk.behind, 0);
}

/// Whether the chunk is long enough: Pillow refuses shorter ones of these types.
bool long_enough(const Chunk& chunk, int color_type) {
  struct Smallest {
    std::string_view type;
    std::size_t size;
  };
  static constexpr std::array kSmallest{Smallest{"gAMA", 4}, Smallest{"cHRM", 32}, Smallest{"sRGB", 1},
                                        Smallest{"pHYs", 9}, Smallest{"acTL", 8},  Smallest{"fcTL", 26},
                                        Smallest{"fdAT", 4}};
  if (chunk.type == "tRNS") return chunk.size >= (color_type == 2 ? 6U : color_type == 0 ? 2U : 0U);
  return std::ranges::none_of(kSmallest, [&chunk](const Smallest& smallest) {
    return smallest.type == chunk.type && chunk.size < smallest.size;
  });
}

Reason read_header(const Chunk& chunk, PngLayout& layout) {
  constexpr std::size_t kSize = 13;
  constexpr std::uint32_t kMax = 0x7FFFFFFF;
  if (chunk.type != "IHDR" || chunk.size != kSize) return Reason::corrupt;
  const std::uint32_t width = number(chunk.data, 0);
  const std::uint32_t height = number(chunk.data, 4);
  if (width == 0 || height == 0 || width > kMax || height > kMax) return Reason::corrupt;
  layout.shape = {static_cast<int>(height), static_cast<int>(width)};
  layout.bit_depth = std::to_integer<int>(chunk.data[8]);
  layout.color_type = std::to_integer<int>(chunk.data[9]);
  layout.interlaced = chunk.data[12] != std::byte{0};
  layout.header = chunk.data;
  return Reason::none;
}

/// Whether an animation's first frame covers the whole image: position (0, 0) and the image's size.
bool is_whole_image(const Chunk& frame, ImageShape shape) {
  return number(frame.data, 4) == static_cast<std::uint32_t>(shape.width) &&
         number(frame.data, 8) == static_cast<std::uint32_t>(shape.height) && number(frame.data, 12) == 0 &&
         number(frame.data, 16) == 0;
}

/// Reads a chunk before the data.
Reason read_chunk(const Chunk& chunk, PngLayout& layout) {
  if (!chunk.whole() || chunk.behind.size() < kChecksum) return Reason::truncated;
  if (!checksum_is_right(chunk)) return Reason::corrupt;
  if (layout.header.empty()) return read_header(chunk, layout);
  if (!long_enough(chunk, layout.color_type) || chunk.type == "IHDR" || chunk.type == "IEND" ||
      chunk.type == "fdAT") {
    return Reason::corrupt;
  }
  if (chunk.type == "fcTL" && !is_whole_image(chunk, layout.shape)) return Reason::unsupported;
  if (chunk.type == "PLTE" && layout.color_type == 3) {
    if (chunk.size > kMaxPalette) return Reason::corrupt;
    layout.palette = chunk.data;
  }
  return Reason::none;
}

/// Measures the data, with which `rest` starts; returns the file behind it.
Bytes measure_data(Bytes rest, PngLayout& layout) {
  layout.data = rest;
  while (const auto part = take_data(rest)) layout.data_size += part->size();
  return rest;
}

/// Whether the file ends well. Behind the data Pillow checks lengths only, and nothing behind an animation's
/// next frame.
bool ends_well(Bytes rest, int color_type) {
  for (auto chunk = chunk_at(rest); chunk; chunk = chunk_at(next(*chunk))) {
    if (chunk->type == "IEND" || chunk->type == "fcTL") return true;
    if (!chunk->whole() || !long_enough(*chunk, color_type)) return false;
  }
  return true;
}

}  // namespace

std::optional<Bytes> take_data(Bytes& rest) {
  const auto chunk = chunk_at(rest);
  if (!chunk || chunk->type != "IDAT") return std::nullopt;
  rest = next(*chunk);
  return chunk->data;
}

Reason find_parts(Bytes file, PngLayout& layout) {
  layout = {};
  Bytes rest = file.subspan(std::min(kPngSignature, file.size()));
  for (;;) {
    const auto chunk = chunk_at(rest);
    if (!chunk) return rest.size() < kChunkHeader ? Reason::truncated : Reason::corrupt;
    if (chunk->type == "IDAT") {
      if (layout.header.empty()) return Reason::corrupt;
      layout.ends_well = ends_well(measure_data(rest, layout), layout.color_type);
      return Reason::none;
    }
    if (const Reason reason = read_chunk(*chunk, layout); reason != Reason::none) return reason;
    rest = next(*chunk);
  }
}

}  // namespace polyhead::image
