#include "warm_up.hpp"

#include <map>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "polyhead/base/aligned.hpp"
#include "polyhead/base/digest.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/comm/agreement.hpp"

namespace polyhead::run {
namespace {

/// Images of noise: an image of one colour would hide differences between algorithms.
AlignedVector<std::uint8_t> fixed_images(std::int64_t count) {
  AlignedVector<std::uint8_t> bytes(static_cast<std::size_t>(count));
  std::uint32_t state = 1;
  for (std::uint8_t& byte : bytes) {
    constexpr std::uint32_t kFactor = 1664525;
    constexpr std::uint32_t kTerm = 1013904223;
    state = state * kFactor + kTerm;
    byte = static_cast<std::uint8_t>(state >> 24U);
  }
  return bytes;
}

std::string hex_of(std::span<const float> values) {
  return Hasher().update(std::as_bytes(values)).digest().hex();
}

/// First rank that reported a value of each kind, and the value.
class Sayings {
 public:
  Sayings(std::string_view what, const std::vector<std::string>& hosts) : what_(what), hosts_(hosts) {}

  void add(std::size_t rank, const std::string& key, const std::string& digest) {
    if (digest.empty()) return;
    const auto [first, is_new] = first_.try_emplace(key, rank, digest);
    const auto& [other, expected] = first->second;
    if (is_new || expected == digest) return;
    throw comm::AgreedError(
        ExitCode::unavailable,
        fmt::format(
            "rank {} on {} computes other {} than rank {} on {}, though GPU and libraries are the same: "
            "another algorithm was chosen, perhaps as memory of one GPU is taken by somebody else. Free "
            "it, or leave that host out",
            rank, hosts_.at(rank), what_, other, hosts_.at(other)));
  }

 private:
  std::string_view what_;
  const std::vector<std::string>& hosts_;
  std::map<std::string, std::pair<std::size_t, std::string>> first_;
};

}  // namespace

WarmUp warm_up(model::Model& model, std::int64_t batch, ImageShape image, std::int64_t heads,
               std::int64_t feature_width, std::int64_t classes) {
  AlignedVector<float> features(static_cast<std::size_t>(batch * feature_width));
  AlignedVector<float> scores(static_cast<std::size_t>(heads * batch * classes));
  model.features(fixed_images(batch * image.values()), features);
  if (heads > 0) model.scores(features, scores);
  return {hex_of(features), hex_of(scores)};
}

void compare_warm_ups(comm::Collectives& world, const WarmUp& mine, const std::string& fingerprint,
                      int member, const std::vector<std::string>& hosts) {
  WireWriter writer;
  writer.put(member).put_text(fingerprint).put_text(mine.features).put_text(mine.scores);
  Sayings features("features", hosts);
  Sayings scores("scores", hosts);
  const auto all = world.all_gather(writer.bytes());
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    WireReader reader(all[rank]);
    const auto holds = reader.get<int>();
    const std::string kind = reader.get_text();
    features.add(rank, kind, reader.get_text());
    scores.add(rank, fmt::format("{} {}", holds, kind), reader.get_text());
  }
}

}  // namespace polyhead::run
