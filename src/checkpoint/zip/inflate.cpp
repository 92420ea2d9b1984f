#include "inflate.hpp"

#include <algorithm>
#include <stdexcept>

#include <zlib.h>

#include "polyhead/base/error.hpp"

namespace polyhead::checkpoint {
namespace {

constexpr std::uint64_t kAlwaysAllowed = std::uint64_t{64} << 20U;
constexpr std::uint64_t kPiece = std::uint64_t{1} << 20U;

/// zlib's decompressor of raw deflate data.
class Inflater {
 public:
  Inflater() {
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw Error(ExitCode::internal, "zlib does not start");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void feed(std::vector<std::byte>& in) {
    stream_.next_in = reinterpret_cast<Bytef*>(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
  }
  [[nodiscard]] bool hungry() const { return stream_.avail_in == 0; }
  /// Fills as much of `out` as the input yields; returns the number of bytes.
  std::size_t fill(std::span<std::byte> out) {
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(std::min<std::uint64_t>(out.size(), kPiece));
    const uInt before = stream_.avail_out;
    const int state = ::inflate(&stream_, Z_NO_FLUSH);
    ended_ = state == Z_STREAM_END;
    if (state != Z_OK && state != Z_BUF_ERROR && !ended_)
      throw std::invalid_argument("its compressed bytes are damaged");
    return before - stream_.avail_out;
  }
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  z_stream stream_{};
  bool ended_ = false;
};

}  // namespace

bool plausible_inflation(std::uint64_t packed, std::uint64_t size) {
  return size <= kAlwaysAllowed || size / kMaxInflation <= packed;
}

std::vector<std::byte> inflate(const InputFile& file, std::uint64_t offset, std::uint64_t packed,
                               std::uint64_t size) {
  std::vector<std::byte> out(size + 1);  // one more byte reveals a stream that goes on
  std::vector<std::byte> in;
  Inflater inflater;
  std::uint64_t done = 0;
  while (!inflater.ended()) {
    if (inflater.hungry() && packed > 0) {
      in = file.read(offset, std::min(packed, kPiece));
      offset += in.size();
      packed -= in.size();
      inflater.feed(in);
    }
    const std::size_t got = inflater.fill(std::span(out).subspan(done));
    done += got;
    if (done > size) throw std::invalid_argument("it holds more bytes than the directory says");
    if (got == 0 && !inflater.ended() && inflater.hungry() && packed == 0) break;
  }
  if (!inflater.ended() || done != size) throw std::invalid_argument("it ends early");
  out.resize(size);
  return out;
}

}  // namespace polyhead::checkpoint
