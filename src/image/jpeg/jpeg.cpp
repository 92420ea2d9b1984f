#include "jpeg.hpp"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <jerror.h>
#include <jpeglib.h>

#include "polyhead/image/buffer.hpp"
#include "scan_decoder.hpp"

namespace polyhead::image {
namespace {

/// Most scans in a progressive file; each costs a pass over the whole image. Encoders write about ten.
constexpr int kMaxScans = 500;
/// Rows per fetch: the most that the library has ready.
constexpr std::size_t kRowsAtOnce = 4;
/// Alignment at which the library's vector code stores rows past the caches. The rows are read at once, so
/// they must not be aligned to it.
constexpr std::size_t kStreamed = 32;

/// Source that gives the file to the library. Nothing follows its end, as in Pillow; the library's own source
/// would invent an end-of-image marker.
struct Source : jpeg_source_mgr {
  bool ended = false;      ///< the library asked for more than there is
  bool finishing = false;  ///< all rows are there
};

/// Error handler that leaves the library by longjmp, since it is C. All calls go through `guarded`.
struct Errors : jpeg_error_mgr {
  std::jmp_buf jump;
};

Source& source_of(j_decompress_ptr info) {
  return *static_cast<Source*>(info->src);
}

[[noreturn]] void leave(j_common_ptr info) {
  std::longjmp(static_cast<Errors*>(info->err)->jump, 1);
}

boolean no_more(j_decompress_ptr info) {
  source_of(info).ended = true;
  if (source_of(info).finishing) return FALSE;
  leave(reinterpret_cast<j_common_ptr>(info));
}

void skip(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  const std::size_t step = std::min(static_cast<std::size_t>(count), info->src->bytes_in_buffer);
  info->src->next_input_byte += step;
  info->src->bytes_in_buffer -= step;
}

void ignore(j_decompress_ptr /*info*/) {}
void ignore_message(j_common_ptr /*info*/, int /*level*/) {}

void check_scans(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > kMaxScans) leave(info);
}

bool is_unsupported(int error) {
  return error == JERR_BAD_PRECISION || error == JERR_ARITH_NOTIMPL || error == JERR_SOF_UNSUPPORTED ||
         error == JERR_CONVERSION_NOTIMPL || error == JERR_FRACT_SAMPLE_NOTIMPL ||
         error == JERR_CCIR601_NOTIMPL || error == JERR_NOT_COMPILED || error == JERR_IMAGE_TOO_BIG ||
         error == JERR_COMPONENT_COUNT;
}

std::uint8_t product255(unsigned a, unsigned b) {
  const unsigned product = a * b + 128;
  return static_cast<std::uint8_t>(((product >> 8U) + product) >> 8U);
}

/// Converts CMYK to RGB as Pillow does, from the inverted values that Adobe writes. In place.
void cmyk_to_rgb(std::uint8_t* pixel, std::size_t count) {
  for (; count > 0; --count, pixel += kPixelBytes) {
    const std::uint8_t light = pixel[3];
    for (std::size_t c = 0; c < 3; ++c) {
      pixel[c] = static_cast<std::uint8_t>(light - product255(255U - pixel[c], light));
    }
  }
}

}  // namespace

struct JpegReader::Decoder {
  Errors errors{};
  Source source{};
  std::span<const std::byte> file;
  jpeg_progress_mgr progress{};
  jpeg_decompress_struct info{};
  ScanDecoder scan;
  std::vector<std::uint8_t> buffer;
  bool whole = false;           ///< whether the whole image must be decoded
  bool taken_over = false;      ///< whether `scan` decodes the entropy
  JDIMENSION first_column = 0;  ///< first column of the library's rows

  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { jpeg_destroy_decompress(&info); }

  template <class Call>
  bool guarded(Call call);
  [[nodiscard]] Reason why(std::uint64_t max_pixels) const;
  bool begin();
  [[nodiscard]] bool known_colours() const;
  bool start(bool own_entropy);
  [[nodiscard]] bool smooths() const;
  bool crop(Range columns);
  bool skip_to(int row);
  bool fetch(int end, Range wanted, RowResizer& resizer);
  bool finish();
  bool decode(RowResizer& resizer, bool own_entropy);
  bool decode_again(RowResizer& resizer);
  [[nodiscard]] std::size_t row_bytes() const;
  [[nodiscard]] int block_height() const;
  [[nodiscard]] int block_width() const;
};

/// Returns whether `call` succeeded. Nothing that it calls or holds may need a destructor.
template <class Call>
bool JpegReader::Decoder::guarded(Call call) {
  if (setjmp(errors.jump) != 0) return false;
  call();
  return true;
}

Reason JpegReader::Decoder::why(std::uint64_t max_pixels) const {
  if (std::uint64_t{info.image_width} * info.image_height > max_pixels) return Reason::too_many_pixels;
  if (source.ended) return Reason::truncated;
  return is_unsupported(errors.msg_code) ? Reason::unsupported : Reason::corrupt;
}

/// Begins with a new object per image: tables of the last image must not serve a file that lacks its own.
bool JpegReader::Decoder::begin() {
  jpeg_destroy_decompress(&info);
  taken_over = false;
  info.err = jpeg_std_error(&errors);
  errors.error_exit = leave;
  errors.emit_message = ignore_message;
  source = {};
  source.next_input_byte = reinterpret_cast<const JOCTET*>(file.data());
  source.bytes_in_buffer = file.size();
  source.init_source = ignore;
  source.fill_input_buffer = no_more;
  source.skip_input_data = skip;
  source.resync_to_restart = jpeg_resync_to_restart;
  source.term_source = ignore;
  progress.progress_monitor = check_scans;
  return guarded([this] {
    jpeg_create_decompress(&info);
    info.src = &source;
    info.progress = &progress;
    while (jpeg_read_header(&info, FALSE) == JPEG_HEADER_TABLES_ONLY) continue;
  });
}

bool JpegReader::Decoder::known_colours() const {
  return info.num_components == 1 || info.num_components == 3 || info.num_components == 4;
}

bool JpegReader::Decoder::start(bool own_entropy) {
  info.out_color_space = info.num_components == 4 ? JCS_CMYK : JCS_EXT_RGBX;
  if (!guarded([this] { jpeg_start_decompress(&info); })) return false;
  taken_over = own_entropy && scan.take_over(info, leave);
  whole = smooths();
  first_column = 0;
  return true;
}

/// Rows and columns of the result that one interleaved block makes.
int JpegReader::Decoder::block_height() const {
  return info.max_v_samp_factor * info.min_DCT_scaled_size;
}
int JpegReader::Decoder::block_width() const {
  return info.max_h_samp_factor * info.min_DCT_scaled_size;
}

/// Whether scans are missing, so that the library smooths blocks towards their neighbours. It smooths only
/// partly when blocks are left out.
bool JpegReader::Decoder::smooths() const {
  if (info.coef_bits == nullptr) return false;
  const auto unfinished = [](int bits) { return bits != 0; };
  for (int component = 0; component < info.num_components; ++component) {
    if (std::any_of(info.coef_bits[component], info.coef_bits[component] + DCTSIZE2, unfinished)) return true;
  }
  return false;
}

/// Keeps the library from computing columns that are not wanted. One more block on each side preserves the
/// bits: chroma is interpolated between neighbours.
bool JpegReader::Decoder::crop(Range columns) {
  if (whole) return true;
  const int margin = block_width();
  const int left = std::max(0, columns.first - margin);
  const int right = std::min(static_cast<int>(info.output_width), columns.first + columns.count + margin);
  first_column = static_cast<JDIMENSION>(left);
  auto width = static_cast<JDIMENSION>(right - left);
  if (width == info.output_width) return true;
  return guarded([this, &width] { jpeg_crop_scanline(&info, &first_column, &width); });
}

std::size_t JpegReader::Decoder::row_bytes() const {
  return (info.output_width * kPixelBytes + kRowSlack + kStreamed - 1) / kStreamed * kStreamed;
}

/// Lets the library decode only the entropy up to one block before `row`: chroma is interpolated between
/// rows, too.
bool JpegReader::Decoder::skip_to(int row) {
  const int blocks = (row - static_cast<int>(info.output_scanline)) / block_height() - 1;
  if (blocks <= 0 || whole) return true;
  const auto rows = static_cast<JDIMENSION>(blocks * block_height());
  return guarded([this, rows] { jpeg_skip_scanlines(&info, rows); });
}

/// Reads up to row `end` and adds the wanted rows.
bool JpegReader::Decoder::fetch(int end, Range wanted, RowResizer& resizer) {
  const Range columns = resizer.columns();
  const std::size_t begin = (static_cast<std::size_t>(columns.first) - first_column) * kPixelBytes;
  std::array<JSAMPROW, kRowsAtOnce> rows{};
  const std::size_t unaligned = kPixelBytes - reinterpret_cast<std::uintptr_t>(buffer.data()) % kStreamed;
  for (std::size_t i = 0; i < kRowsAtOnce; ++i) {
    rows[i] = buffer.data() + unaligned % kStreamed + i * row_bytes();
  }
  while (static_cast<int>(info.output_scanline) < end) {
    const auto first = static_cast<int>(info.output_scanline);
    JDIMENSION count = 0;
    if (!guarded([&] { count = jpeg_read_scanlines(&info, rows.data(), kRowsAtOnce); })) return false;
    for (int i = 0; i < static_cast<int>(count); ++i) {
      if (first + i < wanted.first || first + i >= wanted.first + wanted.count) continue;
      std::uint8_t* row = rows[static_cast<std::size_t>(i)] + begin;
      if (info.out_color_space == JCS_CMYK) cmyk_to_rgb(row, static_cast<std::size_t>(columns.count));
      resizer.add(row);
    }
  }
  return true;
}

/// Checks the data behind the last row: it may be missing but must not be wrong, as in Pillow.
bool JpegReader::Decoder::finish() {
  source.finishing = true;
  return guarded([this] { jpeg_finish_decompress(&info); });
}

bool JpegReader::Decoder::decode(RowResizer& resizer, bool own_entropy) {
  const Range rows = resizer.rows();
  if (!start(own_entropy) || !crop(resizer.columns())) return false;
  const auto height = static_cast<int>(info.output_height);
  make_room(buffer, kRowsAtOnce * row_bytes() + kStreamed);
  // The rows that follow are decoded, too, as far as needed to know that they are there.
  return skip_to(rows.first) && fetch(rows.first + rows.count, rows, resizer) && skip_to(height) &&
         fetch(height, rows, resizer) && finish();
}

/// Decodes with the library alone, which decides what is wrong and what remains visible.
bool JpegReader::Decoder::decode_again(RowResizer& resizer) {
  const unsigned divisor = info.scale_denom;
  resizer.restart();
  if (!begin()) return false;
  info.scale_num = 1;
  info.scale_denom = divisor;
  return decode(resizer, false);
}

JpegReader::JpegReader(std::uint64_t max_pixels, bool own_entropy)
    : max_pixels_(max_pixels), own_entropy_(own_entropy), decoder_(std::make_unique<Decoder>()) {}

JpegReader::~JpegReader() = default;

Reason JpegReader::open(std::span<const std::byte> file) {
  Decoder& decoder = *decoder_;
  decoder.file = file;
  if (!decoder.begin()) return decoder.why(max_pixels_);
  if (std::uint64_t{decoder.info.image_width} * decoder.info.image_height > max_pixels_) {
    return Reason::too_many_pixels;
  }
  if (!decoder.known_colours()) return Reason::unsupported;
  return decoder.guarded([&decoder] { jpeg_calc_output_dimensions(&decoder.info); })
             ? Reason::none
             : decoder.why(max_pixels_);
}

ImageShape JpegReader::shape() const {
  return {static_cast<int>(decoder_->info.output_height), static_cast<int>(decoder_->info.output_width)};
}

int JpegReader::shrink(ImageShape smallest) {
  jpeg_decompress_struct& info = decoder_->info;
  const ImageShape whole = shape();
  const auto fits = [&](int factor) {
    return (whole.height + factor - 1) / factor >= smallest.height &&
           (whole.width + factor - 1) / factor >= smallest.width;
  };
  int factor = 1;
  while (factor < DCTSIZE && fits(2 * factor)) factor *= 2;
  info.scale_num = 1;
  info.scale_denom = static_cast<unsigned>(factor);
  return decoder_->guarded([&info] { jpeg_calc_output_dimensions(&info); }) ? factor : 1;
}

/// Bytes that reading takes. Images in several scans are kept as coefficients until the last scan; for others
/// ScanDecoder keeps the file.
std::uint64_t JpegReader::memory() {
  jpeg_decompress_struct& info = decoder_->info;
  std::uint64_t bytes = kJpegColumnBytes * info.image_width;
  if (jpeg_has_multiple_scans(&info) == FALSE) return bytes + decoder_->file.size();
  for (const jpeg_component_info& part :
       std::span(info.comp_info, static_cast<std::size_t>(info.num_components))) {
    const auto rounded = [](JDIMENSION blocks, int to) {
      const auto unit = static_cast<std::uint64_t>(to);
      return (blocks + unit - 1) / unit * unit;
    };
    bytes += rounded(part.width_in_blocks, part.h_samp_factor) *
             rounded(part.height_in_blocks, part.v_samp_factor) * sizeof(JBLOCK);
  }
  return bytes;
}

void JpegReader::close() {
  jpeg_destroy_decompress(&decoder_->info);
  decoder_->scan.trim();
}

Reason JpegReader::read(RowResizer& resizer) {
  Decoder& decoder = *decoder_;
  const bool done =
      decoder.decode(resizer, own_entropy_) || (decoder.taken_over && decoder.decode_again(resizer));
  return done ? Reason::none : decoder.why(max_pixels_);
}

bool JpegReader::decoded_entropy() const {
  return decoder_->taken_over;
}

}  // namespace polyhead::image
