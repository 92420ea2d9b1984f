#include "pixel_units.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"

namespace polyhead::data {
namespace {

using Triple = std::array<double, 3>;

constexpr double kMaxOfUnit = 1.5;  // upper bound for means of values from 0 to 1
constexpr double kMaxStd = 5;       // upper bound for deviations: nobody makes contrasts so small on purpose
constexpr double kMinOfBytes = 20;  // lower bound for values of bytes: values from 0 to 1, normalised or not,
                                    // stay smaller
constexpr double k255 = 255;
constexpr Triple kImageNetMean{0.485, 0.456, 0.406};  // means of torchvision's pre-trained models
constexpr Triple kImageNetStd{0.229, 0.224, 0.225};

bool any_above(const Triple& values, double limit) {
  return std::ranges::any_of(values, [&](double value) { return std::abs(value) > limit; });
}

bool is_none(const config::Preprocess& preprocess) {
  return preprocess.mean == config::Preprocess{}.mean && preprocess.std == config::Preprocess{}.std;
}

std::string text_of(const Triple& values, double factor = 1) {
  return fmt::format("[{:.4g}, {:.4g}, {:.4g}]", values[0] * factor, values[1] * factor, values[2] * factor);
}

/// Text "mean: [...], std: [...]", those over their limits multiplied by `factor`.
std::string scaled(const config::Preprocess& preprocess, double factor) {
  const bool all = factor > 1;
  return fmt::format("mean: {}, std: {}",
                     text_of(preprocess.mean, all || any_above(preprocess.mean, kMaxOfUnit) ? factor : 1),
                     text_of(preprocess.std, all || any_above(preprocess.std, kMaxStd) ? factor : 1));
}

[[noreturn]] void refuse(const config::Preprocess& preprocess, const std::string& why,
                         const std::string& advice) {
  throw Error(ExitCode::config, fmt::format("data.preprocess: found mean: {}, std: {}; {}; {}",
                                            text_of(preprocess.mean), text_of(preprocess.std), why, advice));
}

/// Refuses ImageNet's values, which most people copy, in exchanged places: no deviation is as large as these
/// means.
void check_exchanged(const config::Preprocess& preprocess) {
  if (preprocess.mean != kImageNetStd && preprocess.std != kImageNetMean) return;
  refuse(preprocess, "these are ImageNet's deviations as means, or its means as deviations",
         fmt::format("expected mean: {}, std: {}", text_of(kImageNetMean), text_of(kImageNetStd)));
}

std::string check_bytes(const config::Preprocess& preprocess, const PixelValues& values) {
  if (any_above(preprocess.mean, kMaxOfUnit) || any_above(preprocess.std, kMaxStd)) {
    refuse(preprocess,
           "they seem to be for pixels from 0 to 255, but pixels are divided by 255 before, as torchvision's "
           "ToTensor does; expected them in units of pixel / 255",
           fmt::format("divide them by 255: {}", scaled(preprocess, 1 / k255)));
  }
  if (values.looked_at && values.highest == 1) {
    return "the 8-bit images hold only 0 and 1, which become 0 and 1/255: are they masks, or images that "
           "were to "
           "be multiplied by 255?";
  }
  if (!is_none(preprocess)) return "";
  return fmt::format(
      "data.preprocess has no normalisation (mean 0, std 1): right for a model that was trained on pixels "
      "from "
      "0 to 1; torchvision's pre-trained ResNets want mean: {}, std: {}",
      text_of(kImageNetMean), text_of(kImageNetStd));
}

/// Checks float images, whose values are normalised as they are.
std::string check_floats(const config::Preprocess& preprocess, const PixelValues& values) {
  if (!values.looked_at || values.highest <= values.lowest) return "";
  const std::string range = fmt::format("from {:.4g} to {:.4g}", values.lowest, values.highest);
  const bool unit = !any_above(preprocess.mean, kMaxOfUnit) && !any_above(preprocess.std, kMaxOfUnit);
  if (values.highest > kMinOfBytes && is_none(preprocess)) {
    return fmt::format(
        "the float images hold values {} and are not normalised (mean 0, std 1): right for a model "
        "that was trained on such values",
        range);
  }
  if (values.highest > kMinOfBytes && unit) {
    refuse(preprocess,
           fmt::format("they are for pixels from 0 to 1, but the float images hold values {}, which "
                       "are taken as they are",
                       range),
           fmt::format("divide the images by 255, or say {}", scaled(preprocess, k255)));
  }
  if (values.highest <= kMaxOfUnit && values.lowest >= 0 && any_above(preprocess.mean, kMaxOfUnit)) {
    refuse(
        preprocess,
        fmt::format("they seem to be for pixels from 0 to 255, but the float images hold values {}", range),
        fmt::format("divide them by 255: {}", scaled(preprocess, 1 / k255)));
  }
  if (values.lowest >= -1e-3F || is_none(preprocess)) return "";
  return fmt::format(
      "the float images hold values {}, as if they were normalised already, and data.preprocess "
      "normalises them (again): mean: [0, 0, 0], std: [1, 1, 1] leaves them as they are",
      range);
}

}  // namespace

std::string check_units(const config::Preprocess& preprocess, const PixelValues& values) {
  check_exchanged(preprocess);
  return values.bytes ? check_bytes(preprocess, values) : check_floats(preprocess, values);
}

}  // namespace polyhead::data
