#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <jpeglib.h>

namespace polyhead::testing {

/// How an image is written as JPEG.
struct JpegStyle {
  int width = 33;
  int height = 29;
  int components = 3;
  int quality = 90;
  int across = 2;  ///< sampling factors of the first component, or of all
  int down = 2;
  bool all_sampled = false;
  unsigned restart = 0;    ///< units between restart markers
  bool optimised = false;  ///< Huffman tables of its own
  bool progressive = false;
  bool arithmetic = false;
  bool separate = false;  ///< a scan for each component
};

/// An image with smooth parts, edges and noise, the same for the same seed.
inline std::vector<std::uint8_t> picture(const JpegStyle& style, unsigned seed) {
  std::minstd_rand random(seed + 1);
  std::vector<std::uint8_t> samples;
  const unsigned strength = random() % 4 * 60;
  for (int y = 0; y < style.height; ++y) {
    for (int x = 0; x < style.width; ++x) {
      const bool edge = (x / 5 + y / 7) % 3 == 0;
      for (int c = 0; c < style.components; ++c) {
        const unsigned smooth = static_cast<unsigned>(4 * x + 3 * y * (c + 1)) % 256;
        const unsigned noise = strength == 0 ? 0 : random() % (strength + 1);
        samples.push_back(
            static_cast<std::uint8_t>(edge && strength == 180 ? 255 * (noise % 2) : smooth / 2 + noise));
      }
    }
  }
  return samples;
}

inline std::string write_jpeg(const JpegStyle& style, unsigned seed) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);  // which ends the program
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = static_cast<JDIMENSION>(style.width);
  info.image_height = static_cast<JDIMENSION>(style.height);
  info.input_components = style.components;
  info.in_color_space = style.components == 1 ? JCS_GRAYSCALE : style.components == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, style.quality, TRUE);
  for (int c = 0; c < (style.all_sampled ? style.components : 1); ++c) {
    info.comp_info[c].h_samp_factor = style.across;
    info.comp_info[c].v_samp_factor = style.down;
  }
  info.restart_interval = style.restart;
  info.optimize_coding = style.optimised ? TRUE : FALSE;
  info.arith_code = style.arithmetic ? TRUE : FALSE;
  if (style.progressive) jpeg_simple_progression(&info);
  std::vector<jpeg_scan_info> scans(static_cast<std::size_t>(style.components));
  for (int c = 0; c < style.components; ++c)
    scans[static_cast<std::size_t>(c)] = {1, {c}, 0, DCTSIZE2 - 1, 0, 0};
  if (style.separate) {
    info.scan_info = scans.data();
    info.num_scans = style.components;
  }
  jpeg_start_compress(&info, TRUE);
  std::vector<std::uint8_t> samples = picture(style, seed);
  const auto stride = static_cast<std::size_t>(style.width * style.components);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = samples.data() + info.next_scanline * stride;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  std::string file(reinterpret_cast<const char*>(bytes), size);
  jpeg_destroy_compress(&info);
  std::free(bytes);
  return file;
}

}  // namespace polyhead::testing
