#pragma once

/// Fast algorithms for convolutions along one axis, worked out by the compiler. A two-dimensional one is the
/// same along rows and columns.
///
/// Toom-Cook (Winograd's "minimal filtering" F(m, r): m outputs of an r-tap filter): with n = m + r - 1
/// points, n - 1 finite a_i and infinity,
///     y = A^T [ (G g) * (B^T d) ]    A^T[j][i] = a_i^j    G[i][k] = a_i^k / N_i    N_i = prod_{l != i} (a_i
///     - a_l) B^T[i] = the coefficients of prod_{l != i} (x - a_l), lowest power first
/// and for infinity: y_{m-1} takes the product, G takes the last tap, B^T prod_l (x - a_l).
/// Winograd, "Arithmetic Complexity of Computations", 1980; Lavin and Gray, "Fast Algorithms for
/// Convolutional Neural Networks", 2015, https://arxiv.org/abs/1509.09308.
///
/// Fewer outputs need fewer points. With the last ones left out, N_i loses their factors (a_i - a_l); these
/// go into B^T, so that a tile of any size works with the same G g.
namespace polyhead::kernels {

/// Algorithm of a convolution; each covers all sizes of images and all numbers of channels.
enum class Scheme {
  winograd,          ///< 3x3: F(4, 3), 6 products for 4 outputs
  winograd_strided,  ///< 3x3 of stride 2: the odd rows by F(4, 2), the even ones plainly: 9 products
  plain,             ///< 1x1: 4 products
  plain_strided,     ///< 1x1 of stride 2
  stem,              ///< 4x4, which is 7x7 of stride 2 on 2x2 pixels at once: F(4, 4), 7 products
};
inline constexpr int kSchemes = 5;
inline constexpr int kTile = 4;  ///< most outputs per tile along an axis
inline constexpr int kMaxProducts = 10;
inline constexpr int kMaxInputs = 9;
inline constexpr int kMaxPoints = 7;

/// Finite points; smaller tiles leave out the last ones. They are pairs a, -a, since those share sums. Their
/// values decide how much rounding errors grow: the usual 0, +-1, +-2 double them. These were found by trial;
/// the coefficients of whole tiles are exact in fp32.
struct Points {
  int taps = 0;  ///< number of taps that they serve
  int count = 0;
  double at[kMaxPoints] = {};
};

constexpr Points points_of(Scheme scheme) {
  switch (scheme) {
    case Scheme::winograd:
      return {3, 5, {0, 0.75, -0.75, 1.5, -1.5}};
    case Scheme::winograd_strided:
      return {2, 4, {0, 0.75, -0.75, 1.5}};
    case Scheme::stem:
      return {4, 6, {0.375, -0.375, 0.875, -0.875, 1.75, -1.75}};
    case Scheme::plain:
    case Scheme::plain_strided:
      break;
  }
  return {};
}

/// One axis of a tile with `outputs` results.
struct Algorithm {
  int outputs = 0;
  int inputs = 0;
  int step = 1;                                      ///< pixels between inputs
  int products = 0;                                  ///< number of products that this tile needs
  int id[kMaxProducts] = {};                         ///< number of each product among those of a whole tile
  bool needs[kMaxProducts] = {};                     ///< whether the tile needs each product of a whole tile
  double from_input[kMaxProducts][kMaxInputs] = {};  ///< B^T
  double to_output[kMaxProducts][kTile] = {};        ///< A
};

namespace detail {

/// Writes `scale` x the product of (x - a_l) over the first `used` points except `left_out`, into every
/// `stride`-th place.
constexpr void write_polynomial(const Points& points, int used, int left_out, double scale, int stride,
                                double* row) {
  double c[kMaxPoints + 1] = {scale};
  int degree = 0;
  for (int l = 0; l < used; ++l) {
    if (l == left_out) continue;
    for (int k = ++degree; k >= 0; --k) c[k] = (k > 0 ? c[k - 1] : 0) - points.at[l] * c[k];
  }
  for (int k = 0; k <= degree; ++k) row[std::ptrdiff_t{k} * stride] = c[k];
}

/// Appends the products of F(outputs, taps of the points), which reads every `stride`-th input.
constexpr void add_toom_cook(Algorithm& to, const Points& points, int stride) {
  const int used = to.outputs + points.taps - 2;
  for (int i = 0; i <= used; ++i) {
    const int product = to.products++;
    const bool infinite = i == used;
    to.id[product] = infinite ? points.count : i;
    double scale = 1;
    for (int l = used; l < points.count && !infinite; ++l) scale *= points.at[i] - points.at[l];
    write_polynomial(points, used, i, scale, stride, to.from_input[product]);
    double power = 1;
    for (int j = 0; j < to.outputs; ++j, power *= infinite ? 1 : points.at[i]) {
      to.to_output[product][j] = infinite ? (j + 1 == to.outputs ? 1 : 0) : power;
    }
  }
}

/// Appends one product per output: of input first + stride x output. All take one weight.
constexpr void add_plain(Algorithm& to, int first, int stride, int first_id) {
  for (int j = 0; j < to.outputs; ++j) {
    const int product = to.products++;
    to.id[product] = first_id + j;
    to.from_input[product][first + stride * j] = 1;
    to.to_output[product][j] = 1;
  }
}

}  // namespace detail

/// `outputs`: 1 to 4.
constexpr Algorithm algorithm(Scheme scheme, int outputs) {
  const Points points = points_of(scheme);
  Algorithm made;
  made.outputs = outputs;
  if (scheme == Scheme::plain || scheme == Scheme::plain_strided) {
    made.inputs = outputs;
    made.step = scheme == Scheme::plain ? 1 : 2;
    detail::add_plain(made, 0, 1, 0);
  } else if (scheme == Scheme::winograd_strided) {
    made.inputs = 2 * outputs + 1;
    detail::add_toom_cook(made, points, 2);           // taps 0 and 2
    detail::add_plain(made, 1, 2, points.count + 1);  // tap 1
  } else {
    made.inputs = outputs + points.taps - 1;
    detail::add_toom_cook(made, points, 1);
  }
  for (int product = 0; product < made.products; ++product) made.needs[made.id[product]] = true;
  return made;
}

struct Algorithms {
  constexpr Algorithms() {
    for (int scheme = 0; scheme < kSchemes; ++scheme) {
      for (int outputs = 1; outputs <= kTile; ++outputs)
        of[scheme][outputs] = algorithm(Scheme{scheme}, outputs);
    }
  }
  Algorithm of[kSchemes][kTile + 1];
};
inline constexpr Algorithms kAlgorithms;

/// Number of rows of G: weights along an axis. Row i belongs to product i; the last one also serves the
/// products after it.
constexpr int slots_of(Scheme scheme) {
  const int points = points_of(scheme).count;
  return points == 0 ? 1 : points + (scheme == Scheme::winograd_strided ? 2 : 1);
}

/// G: contribution of each tap to each weight. `taps`: 1, 3 or (stem) 4.
struct WeightTransform {
  int taps = 1;
  double from_tap[kMaxPoints + 1][kTile] = {{1}};
};

constexpr WeightTransform weight_transform(Scheme scheme) {
  const Points points = points_of(scheme);
  WeightTransform made;
  if (points.count == 0) return made;
  const bool strided = scheme == Scheme::winograd_strided;
  const int stride = strided ? 2 : 1;
  made.taps = (points.taps - 1) * stride + 1;
  for (int i = 0; i < points.count; ++i) {
    double norm = 1;
    for (int l = 0; l < points.count; ++l) norm *= l == i ? 1 : points.at[i] - points.at[l];
    double power = 1;
    for (int k = 0; k < points.taps; ++k, power *= points.at[i])
      made.from_tap[i][std::ptrdiff_t{k} * stride] = power / norm;
  }
  made.from_tap[points.count][made.taps - 1] = 1;
  if (strided) made.from_tap[points.count + 1][1] = 1;
  return made;
}

}  // namespace polyhead::kernels
