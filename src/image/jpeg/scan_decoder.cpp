#include "scan_decoder.hpp"

#include <algorithm>
#include <span>

#include <jpegint.h>

#include "block_decoder.hpp"

namespace polyhead::image {
namespace {

HuffmanCode code_of(const JHUFF_TBL& definition) {
  HuffmanCode code;
  std::copy_n(definition.bits, code.counts.size(), code.counts.begin());
  std::copy_n(definition.huffval, code.symbols.size(), code.symbols.begin());
  code.counts[0] = 0;
  return code;
}

bool is_sequential(jpeg_decompress_struct& info) {
  return info.progressive_mode == FALSE && info.arith_code == FALSE && info.data_precision == 8 &&
         jpeg_has_multiple_scans(&info) == FALSE;
}

}  // namespace

template <class Table>
const Table& ScanDecoder::Kept<Table>::of(const JHUFF_TBL& definition) {
  HuffmanCode wanted = code_of(definition);
  if (wanted == code) return table;
  table.build(wanted);
  code = wanted;
  return table;
}

/// Takes over; the library has checked the tables.
bool ScanDecoder::take_over(jpeg_decompress_struct& info, GiveUp give_up) {
  if (!is_sequential(info)) return false;
  segment_.reserve(info.src->bytes_in_buffer);
  if (!begin_segment(*info.src)) return false;
  blocks_.clear();
  for (int i = 0; i < info.blocks_in_MCU; ++i) {
    const auto component = static_cast<std::size_t>(info.MCU_membership[i]);
    const auto dc = static_cast<std::size_t>(info.cur_comp_info[component]->dc_tbl_no);
    const auto ac = static_cast<std::size_t>(info.cur_comp_info[component]->ac_tbl_no);
    blocks_.push_back({&dc_tables_[dc].of(*info.dc_huff_tbl_ptrs[dc]),
                       &ac_tables_[ac].of(*info.ac_huff_tbl_ptrs[ac]), &last_dc_[component]});
  }
  give_up_ = give_up;
  column_ = 0;
  until_restart_ = info.restart_interval;
  restarts_ = 0;
  info.client_data = this;
  info.entropy->decode_mcu = decode_unit;
  return true;
}

bool ScanDecoder::begin_segment(jpeg_source_mgr& source) {
  std::span<const std::uint8_t> file(source.next_input_byte, source.bytes_in_buffer);
  if (!segment_.take(file)) return false;
  source.next_input_byte = file.data();
  source.bytes_in_buffer = file.size();
  reader_ = segment_.begin();
  last_dc_.fill(0);
  return true;
}

boolean ScanDecoder::decode_unit(j_decompress_ptr info, JBLOCKROW* blocks) {
  auto& decoder = *static_cast<ScanDecoder*>(info->client_data);
  if (!decoder.decode(*info, blocks)) decoder.give_up_(reinterpret_cast<j_common_ptr>(info));
  return TRUE;
}

bool ScanDecoder::decode(jpeg_decompress_struct& info, JBLOCKROW* blocks) {
  if (info.restart_interval != 0 && until_restart_ == 0 && !restart(info)) return false;
  // The library transforms only those units of a row that the requested rows (jpeg_crop_scanline) reach.
  const bool wanted =
      blocks != nullptr && column_ >= info.master->first_iMCU_col && column_ <= info.master->last_iMCU_col;
  if (!(wanted ? read_unit<true>(blocks) : read_unit<false>(blocks))) return false;
  column_ = column_ + 1 == info.MCUs_per_row ? 0 : column_ + 1;
  --until_restart_;
  return !segment_.overrun(reader_);
}

/// Decodes a row of units. Without kKeep `blocks` is not used, but the DC coefficients are followed: the file
/// holds only differences.
template <bool kKeep>
bool ScanDecoder::read_unit(JBLOCKROW* blocks) {
  BitReader in = reader_;  // so that it stays in registers
  for (const Block& part : blocks_) {
    std::int16_t difference = 0;
    std::int16_t* const block = kKeep ? **blocks++ : nullptr;
    if (!read_dc(in, *part.dc, difference) || !read_block<kKeep>(in, *part.ac, block)) return false;
    *part.last_dc += static_cast<std::uint32_t>(difference);
    if (kKeep) block[0] = static_cast<std::int16_t>(*part.last_dc);
  }
  reader_ = in;
  return true;
}

/// Skips the marker between two intervals (T.81, F.2.2.4, E.2.4).
bool ScanDecoder::restart(jpeg_decompress_struct& info) {
  jpeg_source_mgr& source = *info.src;
  const auto expected = static_cast<JOCTET>(JPEG_RST0 + (restarts_++ & 7U));
  if (source.next_input_byte[1] != expected) return false;
  source.next_input_byte += 2;
  source.bytes_in_buffer -= 2;
  until_restart_ = info.restart_interval;
  return begin_segment(source);
}

}  // namespace polyhead::image
