#include "reference_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/checkpoint/npz.hpp"
#include "run/display/shown_value.hpp"

namespace polyhead::run {
namespace {

constexpr const char* kFormat =
    "expected `samples` (numbers or ids of samples) and an array [samples, classes] for each head by its "
    "name, or `logits` [heads, samples, classes]; `pixels` and `fused` may be there";
constexpr std::array<std::string_view, 4> kReserved{"samples", "logits", "fused", "pixels"};

using Shape = std::vector<std::int64_t>;

std::string text_of(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

class ReferenceReader {
 public:
  ReferenceReader(const std::filesystem::path& path, const Inputs& inputs)
      : path_(path), inputs_(inputs), file_(path) {}

  Reference run() {
    check_names();
    read_samples();
    if (file_.has("logits")) read_all_heads();
    for (std::size_t k = 0; k < heads().size(); ++k) read_head(k);
    if (result_.logits.empty()) fail(fmt::format("has no logits; {}", kFormat));
    const std::int64_t classes = inputs_.weights.classes;
    if (file_.has("fused")) result_.fused = numbers("fused", {count(), classes}, "[samples, classes]");
    if (file_.has("pixels")) read_pixels();
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const std::string& text) const {
    throw Error(ExitCode::bad_data, fmt::format("{}: {}", path_.string(), text));
  }
  [[nodiscard]] const std::vector<config::Head>& heads() const { return inputs_.config.heads; }
  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(result_.samples.size()); }

  /// Refuses an array that is not expected: its name is mistyped.
  void check_names() const {
    std::vector<std::string> known(kReserved.begin(), kReserved.end());
    for (const config::Head& head : heads()) known.push_back(head.name);
    for (const std::string& name : file_.names()) {
      if (std::ranges::find(known, name) != known.end()) continue;
      const auto near = closest(name, known);
      fail(fmt::format("the array '{}' is not the name of a head{}; {}", printable(name),
                       near ? fmt::format(", did you mean '{}'?", *near) : "", kFormat));
    }
    if (!file_.has("samples")) fail(fmt::format("has no array 'samples'; {}", kFormat));
  }

  void read_samples() {
    const checkpoint::NumpyArray array = file_.read("samples");
    if (array.shape.size() > 1) fail(fmt::format("'samples' is {}; expected a list", text_of(array.shape)));
    result_.samples = array.is_text() ? by_id(array.texts) : by_number(array.values);
    if (result_.samples.empty()) fail("'samples' is empty; a few are enough: [0, 1, 2, 3]");
  }

  [[nodiscard]] std::vector<std::int64_t> by_number(const std::vector<double>& values) const {
    std::vector<std::int64_t> samples;
    for (const double value : values) {
      if (!(value >= 0 && value < static_cast<double>(inputs_.shape.size)) || value != std::floor(value))
        fail(fmt::format("'samples' holds {}; expected whole numbers from 0 to {}, or ids of samples", value,
                         inputs_.shape.size - 1));
      samples.push_back(static_cast<std::int64_t>(value));
    }
    return samples;
  }

  [[nodiscard]] std::vector<std::int64_t> by_id(const std::vector<std::string>& ids) const {
    std::unordered_map<std::string_view, std::int64_t> found;
    for (const std::string& id : ids) found.emplace(id, -1);
    std::size_t missing = found.size();
    for (std::int64_t sample = 0; missing > 0 && sample < inputs_.shape.size; ++sample) {
      const std::string id = inputs_.dataset->sample_id(sample);
      const auto at = found.find(id);
      if (at == found.end() || at->second >= 0) continue;
      at->second = sample;
      --missing;
    }
    std::vector<std::int64_t> samples;
    for (const std::string& id : ids) {
      if (found.at(id) < 0)
        fail(fmt::format("no sample is called '{}'; the first one here is '{}'", printable(id),
                         printable(inputs_.dataset->sample_id(0))));
      samples.push_back(found.at(id));
    }
    return samples;
  }

  /// Array of finite numbers of this shape.
  [[nodiscard]] std::vector<double> numbers(const std::string& name, const Shape& shape,
                                            const char* meaning) const {
    checkpoint::NumpyArray array = file_.read(name);
    if (array.is_text()) fail(fmt::format("'{}' holds texts; expected numbers", printable(name)));
    if (array.shape != shape) {
      fail(fmt::format("'{}' is {}; expected {}: {}", printable(name), text_of(array.shape), text_of(shape),
                       meaning));
    }
    if (!std::ranges::all_of(array.values, [](double value) { return std::isfinite(value); }))
      fail(
          fmt::format("'{}' holds NaN or infinity; choose samples that have finite scores", printable(name)));
    return std::move(array.values);
  }

  void read_all_heads() {
    const auto heads = static_cast<std::int64_t>(this->heads().size());
    const std::vector<double> all =
        numbers("logits", {heads, count(), inputs_.weights.classes}, "[heads, samples, classes]");
    const auto each = static_cast<std::ptrdiff_t>(count() * inputs_.weights.classes);
    for (std::ptrdiff_t k = 0; k < heads; ++k)
      result_.logits[static_cast<std::size_t>(k)].assign(all.begin() + k * each,
                                                         all.begin() + (k + 1) * each);
  }

  void read_head(std::size_t k) {
    const std::string& name = heads()[k].name;
    const bool reserved = std::ranges::find(kReserved, name) != kReserved.end();
    if (reserved || !file_.has(name)) return;
    if (result_.logits.contains(k)) fail(fmt::format("has both 'logits' and '{}'; give one of them", name));
    result_.logits[k] = numbers(name, {count(), inputs_.weights.classes}, "[samples, classes]");
  }

  void read_pixels() {
    const ImageShape image = inputs_.shape.image;
    const std::vector<double> values = numbers("pixels", {count(), 3, image.height, image.width},
                                               "[samples, 3, height, width], preprocessed");
    result_.pixels.assign(values.begin(), values.end());
  }

  const std::filesystem::path& path_;
  const Inputs& inputs_;
  checkpoint::NpzReader file_;
  Reference result_;
};

}  // namespace

Reference read_reference(const std::filesystem::path& path, const Inputs& inputs) {
  return ReferenceReader(path, inputs).run();
}

}  // namespace polyhead::run
