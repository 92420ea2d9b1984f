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

/// Decodes the entropy of a baseline JPEG (ITU-T T.81, F.2.2) in the library's place, in half the time. The
/// library does all else. On anything unusual in a file `GiveUp` is called, and the image must be decoded
/// again without this class. So the library alone reports errors and decides what becomes of damaged files.
class ScanDecoder {
 public:
  /// Callback inside the library's code: it must leave that code as an error does.
  using GiveUp = void (*)(j_common_ptr info);

  /// Takes over where possible: between jpeg_start_decompress and the first row. From then on the object must
  /// not move, and info.client_data belongs to it. The whole file must be in info.src.
  bool take_over(jpeg_decompress_struct& info, GiveUp give_up);
  /// Frees the memory of an unusually large file.
  void trim() { segment_.trim(); }

 private:
  /// The last table built. Most files have the tables of T.81's Annex K, and building takes as long as
  /// decoding two hundred blocks.
  template <class Table>
  struct Kept {
    HuffmanCode code;
    Table table;
    const Table& of(const JHUFF_TBL& definition);
  };
  /// Tables and state for one block of a unit (MCU).
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
  std::array<std::uint32_t, MAX_COMPS_IN_SCAN> last_dc_{};  ///< last DC values modulo 2^32, as in the library
  EntropySegment segment_;
  BitReader reader_;
  GiveUp give_up_ = nullptr;
  unsigned column_ = 0;         ///< column of the next unit
  unsigned until_restart_ = 0;  ///< units until the next restart
  unsigned restarts_ = 0;
};

}  // namespace polyhead::image
