#include "png.hpp"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>

#include <png.h>

#include "polyhead/image/buffer.hpp"

namespace polyhead::image {
namespace {

using Bytes = PngLayout::Bytes;

/// Format of rows from libpng.
enum class RowFormat { pixels, indices, gray16 };

constexpr std::array<std::byte, 4> kNothing{};  // zeros in place of a checksum

/// Stream that libpng reads: the needed parts of the file, with all data in one chunk. So libpng sees neither
/// the other chunks nor a checksum of the data, which Pillow does not check either.
class Stream {
 public:
  void open(const PngLayout& layout);
  /// Copies up to `size` bytes and returns their number.
  std::size_t read(std::uint8_t* out, std::size_t size);

 private:
  void put(std::size_t size, const char* type, Bytes data);
  void append(Bytes bytes);

  bool next_part();

  std::vector<std::byte> head_;
  Bytes part_;          ///< remainder of the current part
  Bytes data_;          ///< the file from the next IDAT chunk on
  bool ended_ = false;  ///< the checksum of the data was the last part
};

void Stream::append(Bytes bytes) {
  for (const std::byte byte : bytes) head_.push_back(byte);
}

/// Begins a chunk.
void Stream::put(std::size_t size, const char* type, Bytes data) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) head_.push_back(static_cast<std::byte>(size >> shift));
  append(std::as_bytes(std::span(type, 4)));
  append(data);
}

void Stream::open(const PngLayout& layout) {
  static constexpr std::array<std::uint8_t, kPngSignature> kSignature{0x89, 'P',  'N',  'G',
                                                                      '\r', '\n', 0x1A, '\n'};
  head_.clear();
  append(std::as_bytes(std::span(kSignature)));
  put(layout.header.size(), "IHDR", layout.header);
  append(kNothing);
  if (layout.color_type == PNG_COLOR_TYPE_PALETTE) {
    put(3, "PLTE", std::span(kNothing).first(3));  // required by libpng; the real palette is applied here
    append(kNothing);
  }
  put(std::min<std::size_t>(layout.data_size, PNG_UINT_31_MAX), "IDAT", {});
  part_ = head_;
  data_ = layout.data;
  ended_ = false;
}

/// Gives the data chunk by chunk, then their checksum.
bool Stream::next_part() {
  if (ended_) return false;
  const auto data = take_data(data_);
  ended_ = !data;
  part_ = data.value_or(kNothing);
  return true;
}

std::size_t Stream::read(std::uint8_t* out, std::size_t size) {
  std::size_t done = 0;
  while (done < size && (!part_.empty() || next_part())) {
    const std::size_t step = std::min(size - done, part_.size());
    if (step > 0) std::memcpy(out + done, part_.data(), step);
    done += step;
    part_ = part_.subspan(step);
  }
  return done;
}

/// Converts values over 255 to 255, as Pillow does with 16-bit gray.
void gray16_to_pixels(const std::uint8_t* row, Range columns, std::uint8_t* out) {
  row += 2 * std::ptrdiff_t{columns.first};
  for (int x = 0; x < columns.count; ++x, row += 2, out += kPixelBytes) {
    std::memset(out, row[0] > 0 ? 255 : row[1], kPixelBytes);
  }
}

}  // namespace

struct PngReader::Decoder {
  std::jmp_buf jump;
  Stream stream;
  bool ended = false;  ///< libpng asked for more than there is
  png_structp png = nullptr;
  png_infop info = nullptr;
  RowFormat format = RowFormat::pixels;
  std::array<std::array<std::uint8_t, kPixelBytes>, 256> palette{};
  std::vector<std::uint8_t> rows;    ///< one row, or all rows of an interlaced image
  std::vector<std::uint8_t> pixels;  ///< pixels of one row, where they are not in `rows`
  std::size_t stride = 0;            ///< bytes per row in `rows`

  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { destroy(); }

  void destroy() { png_destroy_read_struct(&png, &info, nullptr); }
  template <class Call>
  bool guarded(Call call);
  static void fail(png_structp png, png_const_charp message);
  static void give(png_structp png, png_bytep out, std::size_t size);
  static void ignore(png_structp /*png*/, png_const_charp /*message*/) {}

  bool begin(const PngLayout& layout);
  void set_palette(Bytes bytes);
  void choose_format(const PngLayout& layout);
  bool set_up(const PngLayout& layout);
  [[nodiscard]] bool has_all_rows(int height) const;
  bool fetch(int height, RowResizer& resizer);
  bool fetch_interlaced(int height, RowResizer& resizer);
  const std::uint8_t* converted(const std::uint8_t* row, Range columns);
};

/// Returns whether `call` succeeded. libpng is C, so its errors leave it by longjmp. Nothing that `call`
/// calls or holds may need a destructor.
template <class Call>
bool PngReader::Decoder::guarded(Call call) {
  if (setjmp(jump) != 0) return false;
  call();
  return true;
}

void PngReader::Decoder::fail(png_structp png, png_const_charp /*message*/) {
  std::longjmp(static_cast<Decoder*>(png_get_error_ptr(png))->jump, 1);
}

void PngReader::Decoder::give(png_structp png, png_bytep out, std::size_t size) {
  auto& decoder = *static_cast<Decoder*>(png_get_io_ptr(png));
  if (decoder.stream.read(out, size) == size) return;
  decoder.ended = true;
  png_error(png, "end of file");
}

bool PngReader::Decoder::begin(const PngLayout& layout) {
  destroy();
  ended = false;
  stream.open(layout);
  return guarded([this] {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail, ignore);
    if (png == nullptr) std::longjmp(jump, 1);
    info = png_create_info_struct(png);
    if (info == nullptr) std::longjmp(jump, 1);
    png_set_read_fn(png, this, give);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // the number of pixels was checked
    png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
    png_read_info(png, info);
  });
}

/// Indices beyond the palette are black, as in Pillow.
void PngReader::Decoder::set_palette(Bytes bytes) {
  palette = {};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    palette[i / 3][i % 3] = std::to_integer<std::uint8_t>(bytes[i]);
}

void PngReader::Decoder::choose_format(const PngLayout& layout) {
  format = RowFormat::pixels;
  if (layout.color_type == PNG_COLOR_TYPE_PALETTE) format = RowFormat::indices;
  if (layout.color_type == PNG_COLOR_TYPE_GRAY && layout.bit_depth == 16) format = RowFormat::gray16;
}

bool PngReader::Decoder::set_up(const PngLayout& layout) {
  choose_format(layout);
  if (format == RowFormat::indices) set_palette(layout.palette);
  return guarded([this, &layout] {
    if (format == RowFormat::indices) png_set_packing(png);
    if (format == RowFormat::pixels) {
      png_set_strip_16(png);  // keeps the high byte
      if ((layout.color_type & PNG_COLOR_MASK_COLOR) == 0) {
        png_set_expand_gray_1_2_4_to_8(png);
        png_set_gray_to_rgb(png);
      }
      if ((layout.color_type & PNG_COLOR_MASK_ALPHA) == 0) png_set_filler(png, 0xFF, PNG_FILLER_AFTER);
    }
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    stride = png_get_rowbytes(png, info);
  });
}

/// Wanted columns of a row, in the kernels' form.
const std::uint8_t* PngReader::Decoder::converted(const std::uint8_t* row, Range columns) {
  if (format == RowFormat::pixels) return row + static_cast<std::size_t>(columns.first) * kPixelBytes;
  if (format == RowFormat::gray16) {
    gray16_to_pixels(row, columns, pixels.data());
  } else {
    for (int x = 0; x < columns.count; ++x) {
      std::memcpy(&pixels[static_cast<std::size_t>(x) * kPixelBytes], palette[row[columns.first + x]].data(),
                  kPixelBytes);
    }
  }
  return pixels.data();
}

/// Whether all rows are there. Behind the last row libpng looks for the end of the data; what it finds there
/// is no reason to refuse the image, since Pillow does not look.
bool PngReader::Decoder::has_all_rows(int height) const {
  constexpr int kPasses = 7;
  if (png_get_interlace_type(png, info) != PNG_INTERLACE_NONE)
    return png_get_current_pass_number(png) >= kPasses;
  return png_get_current_row_number(png) >= static_cast<png_uint_32>(height);
}

bool PngReader::Decoder::fetch(int height, RowResizer& resizer) {
  const Range wanted = resizer.rows();
  make_room(rows, stride + kRowSlack);
  for (int y = 0; y < height; ++y) {
    if (!guarded([this] { png_read_row(png, rows.data(), nullptr); }) && !has_all_rows(height)) return false;
    if (y < wanted.first || y >= wanted.first + wanted.count) continue;
    resizer.add(converted(rows.data(), resizer.columns()));
  }
  return true;
}

bool PngReader::Decoder::fetch_interlaced(int height, RowResizer& resizer) {
  constexpr int kPasses = 7;
  const Range wanted = resizer.rows();
  make_room(rows, stride * static_cast<std::size_t>(height) + kRowSlack);
  const bool done = guarded([this, height] {
    for (int pass = 0; pass < kPasses; ++pass) {
      for (int y = 0; y < height; ++y)
        png_read_row(png, rows.data() + stride * static_cast<std::size_t>(y), nullptr);
    }
  });
  if (!done && !has_all_rows(height)) return false;
  for (int y = wanted.first; y < wanted.first + wanted.count; ++y) {
    resizer.add(converted(rows.data() + stride * static_cast<std::size_t>(y), resizer.columns()));
  }
  return true;
}

PngReader::PngReader(std::uint64_t max_pixels)
    : max_pixels_(max_pixels), decoder_(std::make_unique<Decoder>()) {}

PngReader::~PngReader() = default;

Reason PngReader::open(std::span<const std::byte> file) {
  const Reason reason = find_parts(file, layout_);
  const auto [height, width] = layout_.shape;
  if (static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height) > max_pixels_) {
    return Reason::too_many_pixels;
  }
  return reason;
}

std::uint64_t PngReader::memory() {
  const auto width = static_cast<std::uint64_t>(layout_.shape.width);
  const auto height = static_cast<std::uint64_t>(layout_.shape.height);
  return (kPngColumnBytes + (layout_.interlaced ? height : 1) * kPixelBytes) * width;
}

void PngReader::close() {
  decoder_->destroy();
  trim(decoder_->rows);
  trim(decoder_->pixels);
}

Reason PngReader::read(RowResizer& resizer) {
  Decoder& decoder = *decoder_;
  const int height = layout_.shape.height;
  const auto failure = [&decoder] { return decoder.ended ? Reason::truncated : Reason::corrupt; };
  if (!decoder.begin(layout_) || !decoder.set_up(layout_)) return failure();
  make_room(decoder.pixels, static_cast<std::size_t>(resizer.columns().count) * kPixelBytes + kRowSlack);
  const bool interlaced = png_get_interlace_type(decoder.png, decoder.info) != PNG_INTERLACE_NONE;
  const bool done = interlaced ? decoder.fetch_interlaced(height, resizer) : decoder.fetch(height, resizer);
  if (!done) return failure();
  return layout_.ends_well ? Reason::none : Reason::truncated;
}

}  // namespace polyhead::image
