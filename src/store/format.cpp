#include "format.hpp"

namespace polyhead::store::format {
namespace {

constexpr std::int64_t kBlock = std::int64_t{64} * 1024;
constexpr std::int64_t kSummaryPerHead = 256;   // numbers and their keys
constexpr std::int64_t kMaxEscape = 6;          // JSON writes one byte of a name as up to six
constexpr std::int64_t kProvenanceBlocks = 16;  // thousands of starts and resumes

std::int64_t round_up(std::int64_t bytes) {
  return (bytes + kBlock - 1) / kBlock * kBlock;
}

}  // namespace

std::int64_t Column::row_bytes() const {
  auto bytes = static_cast<std::int64_t>(h5::size_of(type));
  for (std::size_t i = 1; i < shape.size(); ++i) bytes *= shape[i];
  return bytes;
}

std::vector<Column> columns(const Layout& layout) {
  const std::int64_t samples = layout.samples;
  const std::int64_t heads = layout.head_count();
  std::vector<Column> all{{kFusedScores, h5::Type::f32, {samples, layout.classes}},
                          {kFusedPrediction, h5::Type::i32, {samples}},
                          {kHeadPrediction, h5::Type::i32, {samples, heads}}};
  if (layout.head_scores) all.push_back({kHeadScores, h5::Type::f32, {samples, heads, layout.classes}});
  all.push_back({kStatus, h5::Type::u8, {samples}});
  all.push_back({kReason, h5::Type::u8, {samples}});
  all.push_back({kLabel, h5::Type::i32, {samples}});
  return all;
}

std::int64_t provenance_capacity() {
  return kProvenanceBlocks * kBlock;
}

std::int64_t summary_capacity(const Layout& layout) {
  std::int64_t bytes = kBlock;
  for (const std::string& name : layout.heads) {
    bytes += kSummaryPerHead + kMaxEscape * static_cast<std::int64_t>(name.size());
  }
  return round_up(bytes);
}

std::int64_t certificate_capacity() {
  return kBlock;
}

}  // namespace polyhead::store::format
