#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <jpeglib.h>

#include "bit_reader.hpp"
#include "entropy_segment.hpp"
#include "huffman_table.hpp"
#include "step_table.hpp"

namespace polyhead::image {

/// Decodes the entropy of a baseline JPEG (ITU-T T.81, F.2.2) in the library's place, in half the time. All
/// else stays the library's, and so does every file in which something is unusual: then `GiveUp` is called,
/// and the image must be decoded again without this. So errors, and what is made of damaged files, are the
/// library's alone.
class ScanDecoder {
 public:
  /// Called in the midst of the library's code, so must leave it as an error does.
  using GiveUp = void (*)(j_common_ptr info);

  /// Takes over where it can: between jpeg_start_decompress and the first row. From then on it must stay
  /// where it is, and info.client_data is its own. The whole file must be in info.src.
  bool take_over(jpeg_decompress_struct& info, GiveUp give_up);
  /// Gives the memory of an unusually large file back.
  void trim() { segment_.trim(); }

 private:
  /// The table last built. Most files have the same ones, those of T.81's Annex K, and building takes as long
  /// as decoding two hundred blocks.
  template <class Table>
  struct Kept {
    HuffmanCode code;
    Table table;
    const Table& of(const JHUFF_TBL& definition);
  };
  /// How a block of a unit (MCU) is decoded.
  struct Block {
    const HuffmanTable* dc;
    const StepTable* ac;
    std::uint32_t* last_dc;
  };

  static boolean decode_unit(j_decompress_ptr info, JBLOCKROW* blocks);
  bool decode(jpeg_decompress_struct& info, JBLOCKROW* blocks);
  template <bool kKeep>
  bool read_unit(JBLOCKROW* blocks);
  bool begin_segment(jpeg_source_mgr& source);
  bool restart(jpeg_decompress_struct& info);

  std::array<Kept<HuffmanTable>, NUM_HUFF_TBLS> dc_tables_;
  std::array<Kept<StepTable>, NUM_HUFF_TBLS> ac_tables_;
  std::vector<Block> blocks_;
  std::array<std::uint32_t, MAX_COMPS_IN_SCAN> last_dc_{};  ///< modulo 2^32, as the library has it
  EntropySegment segment_;
  BitReader reader_;
  GiveUp give_up_ = nullptr;
  unsigned column_ = 0;         ///< of the next unit
  unsigned until_restart_ = 0;  ///< units
  unsigned restarts_ = 0;
};

}  // namespace polyhead::image
