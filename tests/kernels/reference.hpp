#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "polyhead/kernels/convolution.hpp"

/// Convolutions as they are defined, in fp64, on plain [image][channel][row][column].
namespace polyhead::testing {

using kernels::ConvShape;
using kernels::ImageDims;

inline std::size_t values_of(const ImageDims& dims) {
  return static_cast<std::size_t>(dims.channels) * static_cast<std::size_t>(dims.height * dims.width);
}

/// Calls visit(place in [image][channel][row][column], pointer to the value) for each value.
template <class Blocked, class Visit>
void for_each_value(Blocked& blocked, Visit visit) {
  const ImageDims& dims = blocked.dims();
  std::size_t planar = 0;
  for (int image = 0; image < blocked.images(); ++image) {
    for (int channel = 0; channel < dims.channels; ++channel) {
      for (int y = 0; y < dims.height; ++y) {
        for (int x = 0; x < dims.width; ++x) {
          visit(planar++, blocked.at(channel / blocked.block(), image, y, x) + channel % blocked.block());
        }
      }
    }
  }
}

/// From and to [image][channel][row][column] with all images.
inline void assign(kernels::Activations& to, const std::vector<float>& planar) {
  for_each_value(to, [&](std::size_t place, float* value) { *value = planar.at(place); });
}
inline std::vector<float> planar(const kernels::Activations& from) {
  std::vector<float> made(static_cast<std::size_t>(from.images()) * values_of(from.dims()));
  for_each_value(from, [&](std::size_t place, const float* value) { made[place] = *value; });
  return made;
}

class Random {
 public:
  explicit Random(unsigned seed) : bits_(seed) {}
  int between(int least, int most) { return std::uniform_int_distribution(least, most)(bits_); }
  std::vector<float> normal(std::size_t count, double deviation = 1) {
    std::normal_distribution<float> distribution(0, static_cast<float>(deviation));
    std::vector<float> values(count);
    for (float& value : values) value = distribution(bits_);
    return values;
  }

 private:
  std::mt19937 bits_;
};

/// Random weights of a size that keeps activations near 1.
struct Layer {
  Layer(const ConvShape& of, Random& random)
      : shape(of),
        weight(random.normal(static_cast<std::size_t>(of.out * of.in * of.kernel * of.kernel),
                             1 / std::sqrt(double{1} * of.in * of.kernel * of.kernel))),
        bias(random.normal(static_cast<std::size_t>(of.out), 0.1)) {}
  ConvShape shape;
  std::vector<float> weight;
  std::vector<float> bias;
};

/// At no address in particular.
inline std::vector<float> prepare(kernels::Isa isa, const ConvShape& shape, std::span<const float> weight,
                                  std::span<const float> bias) {
  std::vector<float> prepared(kernels::Convolution::prepared_size(isa, shape));
  kernels::Convolution::prepare(isa, shape, weight, bias, prepared);
  return prepared;
}

inline ImageDims output_of(const ConvShape& shape, const ImageDims& in) {
  return {shape.out, (in.height - 1) / shape.stride + 1, (in.width - 1) / shape.stride + 1};
}

/// ReLU as PyTorch has it: NaN stays.
inline double relu(double value) {
  return value < 0 ? 0 : value;
}

/// One output of a convolution, in the order of its taps.
inline double convolve_at(const Layer& layer, const float* image, const ImageDims& in, int k, int y, int x) {
  const int size = layer.shape.kernel;
  double sum = layer.bias[static_cast<std::size_t>(k)];
  for (int c = 0; c < in.channels; ++c) {
    const float* weight = layer.weight.data() + (k * in.channels + c) * size * size;
    for (int dy = 0; dy < size; ++dy) {
      for (int dx = 0; dx < size; ++dx) {
        const int row = y * layer.shape.stride + dy - size / 2;
        const int column = x * layer.shape.stride + dx - size / 2;
        if (row < 0 || row >= in.height || column < 0 || column >= in.width) continue;
        sum += double{weight[dy * size + dx]} * image[(c * in.height + row) * in.width + column];
      }
    }
  }
  return sum;
}

/// [images][channels][height][width] in fp64; `residual` may be empty.
template <class Value>
std::vector<double> convolve(const Layer& layer, const std::vector<float>& pixels, const ImageDims& in,
                             const std::vector<Value>& residual, bool rectify) {
  const ImageDims out = output_of(layer.shape, in);
  const std::size_t images = pixels.size() / values_of(in);
  std::vector<double> result;
  result.reserve(images * values_of(out));
  for (std::size_t image = 0; image < images; ++image) {
    for (int k = 0; k < out.channels; ++k) {
      for (int y = 0; y < out.height; ++y) {
        for (int x = 0; x < out.width; ++x) {
          double value = convolve_at(layer, pixels.data() + image * values_of(in), in, k, y, x);
          if (!residual.empty()) value += residual[result.size()];
          result.push_back(rectify ? relu(value) : value);
        }
      }
    }
  }
  return result;
}

/// |a - b| / |b|
template <class A>
double relative_error(const A& a, const std::vector<double>& b) {
  double difference = 0;
  double size = std::numeric_limits<double>::min();
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference / size);
}

/// Whether fp32 would show the value as NaN or infinite.
inline bool lost_in_fp32(double value) {
  return !(std::abs(value) <= std::numeric_limits<float>::max());
}

}  // namespace polyhead::testing
