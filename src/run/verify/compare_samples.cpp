#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "polyhead/run/compare.hpp"
#include "run/display/shown_value.hpp"

namespace polyhead::run {
namespace {

constexpr std::int64_t kChunk = 1 << 16;  // samples
constexpr std::size_t kShownBytes = 16;   // most bytes of an id that are shown, in hex

/// Text of the id, and its bytes from `from` on.
std::string id_text(std::string_view id, std::size_t from) {
  std::string bits;
  for (const char c : id.substr(std::min(from, id.size()), kShownBytes)) {
    bits += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  if (bits.empty()) return fmt::format("'{}' (nothing from byte {} on)", printable(std::string(id)), from);
  return fmt::format("'{}' (from byte {} on 0x{})", printable(std::string(id)), from, bits);
}

/// Ids and labels of some consecutive samples, compared with the file's.
class SampleChunk {
 public:
  SampleChunk(const store::Reader& reader, const store::SampleSource& now, std::int64_t first,
              std::int64_t count, std::uint64_t begin)
      : first_(first), labels_(static_cast<std::size_t>(count)), held_labels_(reader.labels(first, count)) {
    now.labels(first, labels_);
    offsets_.push_back(begin);
    for (std::int64_t i = first; i < first + count; ++i) {
      ids_.push_back(now.id(i));
      offsets_.push_back(offsets_.back() + ids_.back().size());
    }
    held_offsets_ = reader.id_offsets(first, count + 1);
    held_bytes_ = reader.id_bytes(begin, offsets_.back());
  }

  [[nodiscard]] std::uint64_t end() const { return offsets_.back(); }

  [[nodiscard]] std::optional<Difference> first_difference() const {
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      if (auto found = in_sample(i)) return found;
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::optional<Difference> in_sample(std::size_t i) const {
    const std::int64_t sample = first_ + static_cast<std::int64_t>(i);
    for (const std::size_t edge : {i, i + 1}) {
      if (held_offsets_[edge] == offsets_[edge]) continue;
      return Difference{"/samples/id_offset", sample, edge == i ? "begin" : "end", shown(held_offsets_[edge]),
                        shown(offsets_[edge])};
    }
    const std::size_t at = offsets_[i] - offsets_[0];
    const std::string_view held =
        std::string_view(held_bytes_).substr(std::min(at, held_bytes_.size()), ids_[i].size());
    if (held != ids_[i]) {
      const auto [here, there] = std::mismatch(held.begin(), held.end(), ids_[i].begin(), ids_[i].end());
      const auto from = static_cast<std::size_t>(here - held.begin());
      return Difference{"/samples/id_bytes", sample, "", id_text(held, from), id_text(ids_[i], from)};
    }
    if (held_labels_[i] == labels_[i]) return std::nullopt;
    return Difference{"/samples/label", sample, "", shown(held_labels_[i]), shown(labels_[i])};
  }

  std::int64_t first_;
  std::vector<std::int32_t> labels_;
  std::vector<std::int32_t> held_labels_;
  std::vector<std::string> ids_;
  std::vector<std::uint64_t> offsets_;  ///< offsets of `ids_`, and the end of the last one
  std::vector<std::uint64_t> held_offsets_;
  std::string held_bytes_;  ///< bytes from the first offset on; shorter when the file ends before
};

}  // namespace

std::optional<Difference> compare_samples(const store::Reader& reader, const store::SampleSource& now) {
  const std::int64_t samples = reader.layout().samples;
  std::uint64_t end = 0;
  for (std::int64_t first = 0; first < samples; first += kChunk) {
    const SampleChunk chunk(reader, now, first, std::min(kChunk, samples - first), end);
    if (auto difference = chunk.first_difference()) return difference;
    end = chunk.end();
  }
  return std::nullopt;
}

}  // namespace polyhead::run
