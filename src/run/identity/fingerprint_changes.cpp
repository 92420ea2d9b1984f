#include "fingerprint_changes.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "polyhead/base/cpu.hpp"
#include "polyhead/base/text.hpp"

namespace polyhead::run {
namespace {

using nlohmann::json;

std::string text_in(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

/// Entry "engine" of the former form: "LibTorch 2.15.0; backbone winograd avx512; heads avx512; kernels
/// AVX512; MKL_CBWR=AVX2". With a GPU, it stands instead of the kernels.
struct Engine {
  bool winograd = false;
  bool own_heads = false;
  std::vector<std::string> libtorch;  ///< facts about LibTorch, without the driver and defaults
};

Engine engine_in(const json& former) {
  Engine engine;
  const std::string text = text_in(former, "engine");
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find("; "), rest.size());
    const std::string_view part = rest.substr(0, end);
    if (part.starts_with("backbone winograd")) {
      engine.winograd = true;
    } else if (part.starts_with("heads ")) {
      engine.own_heads = true;
    } else if (!part.starts_with("CUDA driver") && !part.ends_with("_FPMATH_MODE=STRICT")) {
      engine.libtorch.emplace_back(part);
    }
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  std::ranges::sort(engine.libtorch);  // variables stand in the order of a table that has changed since
  return engine;
}

bool is_former(const json& held) {
  return held.contains("engine") && held.contains("cpu") && !held.contains("backbone");
}

/// Present form of a file in the former form, derived with what this machine reports for that job.
class Translation {
 public:
  Translation(const json& held, const json& now, const json& here)
      : held_(held), now_(now), then_(engine_in(held)), here_(engine_in(here)) {
    const bool on_gpu = std::ranges::any_of(
        then_.libtorch, [](const std::string& part) { return part.starts_with("compute capability"); });
    same_libtorch_ =
        then_.libtorch == here_.libtorch && (on_gpu || text_in(held, "cpu") == text_in(here, "cpu"));
  }

  [[nodiscard]] json result() const {
    json today = now_;
    today["backbone"] = backbone();
    today["heads"] = heads();
    today["fusion"] = fusion();
    today["images"] = images();
    today["polyhead"] = text_in(held_, "polyhead");
    return today;
  }

 private:
  [[nodiscard]] std::string libtorch() const {
    return fmt::format("{} on {}", join(then_.libtorch, "; "), text_in(held_, "cpu"));
  }
  [[nodiscard]] std::string backbone() const {
    if (then_.winograd) return "winograd";
    const bool same = same_libtorch_ && !here_.winograd;
    return same ? text_in(now_, "backbone") : libtorch();
  }
  /// Entry of the heads. The layers that LibTorch computes follow from the job, which is unchanged.
  [[nodiscard]] std::string heads() const {
    std::string now = text_in(now_, "heads");
    const bool same_kind = then_.own_heads == here_.own_heads;
    if (same_kind && (now == "polyhead" || same_libtorch_)) return now;
    return then_.own_heads ? fmt::format("polyhead, {}", libtorch()) : libtorch();
  }
  [[nodiscard]] std::string fusion() const {
    const std::string now = text_in(now_, "fusion");
    return now == kExactFusion
               ? now
               : libm_text(text_in(held_, "libc"), has_fused_multiply_add(text_in(held_, "cpu")));
  }
  /// Entry of the images. For data that is not encoded only the resampling counts.
  [[nodiscard]] std::string images() const {
    const std::string now = text_in(now_, "images");
    const std::string then = text_in(held_, "images");
    return then.ends_with("; " + now) ? now : then;
  }

  const json& held_;
  const json& now_;
  Engine then_;
  Engine here_;
  bool same_libtorch_ = false;
};

}  // namespace

std::vector<Change> fingerprint_changes(const json& held, const Fingerprint& now) {
  const json today = parse_object(now.text);
  if (!is_former(held)) return changes(held, today);
  return changes(Translation(held, today, parse_object(now.former)).result(), today);
}

}  // namespace polyhead::run
