#include "polyhead/kernels/convolution.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "table.hpp"
#include "tiling.hpp"
#include "weights.hpp"

namespace polyhead::kernels {
namespace {

/// Extra floats between the starts of planes of products. At a power of two all planes would fall into the
/// same few sets of the caches.
constexpr std::ptrdiff_t kPad = 16;
/// Tiles per block where channels are few.
constexpr int kFewTiles = 24;

Scheme scheme_of(const ConvShape& shape) {
  const bool strided = shape.stride == 2;
  if (shape.in > 0 && shape.out > 0 && (strided || shape.stride == 1)) {
    if (shape.kernel == 1) return strided ? Scheme::plain_strided : Scheme::plain;
    if (shape.kernel == 3) return strided ? Scheme::winograd_strided : Scheme::winograd;
    if (shape.kernel == 4 && !strided) return Scheme::stem;
  }
  throw Error(ExitCode::internal,
              fmt::format("no kernel for a {0}x{0} convolution of stride {1}, {2} to {3} channels",
                          shape.kernel, shape.stride, shape.in, shape.out));
}

Weights layout_of(Isa isa, const ConvShape& shape) {
  return {scheme_of(shape), shape.in, shape.out, 2 * checked_kernels(isa).width};
}

int ceil_div(int a, int b) {
  return (a + b - 1) / b;
}

int products_of(Scheme scheme) {
  return kAlgorithms.of[static_cast<int>(scheme)][kTile].products;
}

/// Planes from the sums of a product to its inputs. Sums overwrite inputs that are no longer needed and still
/// in the caches. These belong to products before all those that the same weights serve.
int planes_ahead(Scheme scheme) {
  const int shared = products_of(scheme) - slots_of(scheme);  // number along an axis, without the first
  return shared * (products_of(scheme) + 1) + 1;
}

/// Floats from a plane to the next. `length`: floats per block of channels.
std::ptrdiff_t plane_of(int in_blocks, int panels, std::ptrdiff_t length) {
  return std::max(in_blocks, 2 * panels) * length + kPad;
}

/// Most tiles per block. More channels: more tiles, so that weights are read less often. Fewer channels: the
/// data of a block stays in the second-level cache.
int most_tiles(const Kernels& kernels, const ConvShape& shape) {
  return std::max(shape.in / 32, ceil_div(kFewTiles, kernels.rows)) * kernels.rows;
}

/// One call, divided into blocks of tiles and, where these are too few, runs of panels.
class Job {
 public:
  Job(Isa isa, const ConvShape& shape, const float* prepared, const ConvCall& call, int threads)
      : kernels_(checked_kernels(isa)),
        scheme_(scheme_of(shape)),
        weights_(layout_of(isa, shape)),
        prepared_(prepared),
        call_(call),
        tiling_(scheme_, shape, call),
        tiles_(Tiling::tiles(call.out->dims(), call.images)) {
    int blocks = ceil_div(tiles_, most_tiles(kernels_, shape));
    if (blocks < threads) {
      parts_ = std::min(weights_.panels(), ceil_div(threads, blocks));
    } else {
      blocks = ceil_div(blocks, threads) * threads;
    }
    block_tiles_ = ceil_div(tiles_, blocks);
    part_panels_ = ceil_div(weights_.panels(), parts_);
    parts_ = ceil_div(weights_.panels(), part_panels_);
  }

  [[nodiscard]] int items() const { return ceil_div(tiles_, block_tiles_) * parts_; }
  void compute(int item, float* scratch) const;

 private:
  void multiply(const TileBlock& block, int first_panel, int panels, Planes inputs, Planes sums) const;

  const Kernels& kernels_;
  Scheme scheme_;
  Weights weights_;
  const float* prepared_;
  const ConvCall& call_;
  Tiling tiling_;
  int tiles_;
  int block_tiles_ = 0;  ///< most tiles per block
  int parts_ = 1;
  int part_panels_ = 0;  ///< most panels per part
};

/// Computes every product of the block's tiles with some panels. The last slot of weights along an axis
/// serves all remaining products. Products with the same weights follow each other.
void Job::multiply(const TileBlock& block, int first_panel, int panels, Planes inputs, Planes sums) const {
  const int slots = weights_.slots();
  const int products = products_of(scheme_);
  const auto end = [&](int slot) { return slot + 1 < slots ? slot + 1 : products; };
  Gemm gemm;
  gemm.block = inputs.block;
  gemm.channels = call_.in->dims().channels;
  const auto product_at = [&](int y, int x, int panel) {
    const Tiling::Range tiles = tiling_.needing(block, y, x);
    const std::ptrdiff_t product = y * products + x;
    const std::ptrdiff_t first = std::ptrdiff_t{tiles.first} * kernels_.width;
    gemm.tiles = inputs.data + product * inputs.product + first;
    gemm.sums = sums.data + product * sums.product + std::ptrdiff_t{2} * panel * sums.block + first;
    gemm.count = tiles.count;
    kernels_.multiply(gemm);
  };
  for (int slot = 0; slot < slots * slots; ++slot) {
    const int top = slot / slots;
    const int left = slot % slots;
    for (int panel = 0; panel < panels; ++panel) {
      gemm.weights = prepared_ + weights_.at(slot, first_panel + panel);
      for (int y = top; y < end(top); ++y) {
        for (int x = left; x < end(left); ++x) product_at(y, x, panel);
      }
    }
  }
}

void Job::compute(int item, float* scratch) const {
  const Activations& in = *call_.in;
  Activations& out = *call_.out;
  const int first_tile = item / parts_ * block_tiles_;
  const TileBlock block = tiling_.block(first_tile, std::min(block_tiles_, tiles_ - first_tile));
  const TileSpan tiles{block.tiles.data(), static_cast<int>(block.tiles.size())};
  const int first_panel = item % parts_ * part_panels_;
  const int panels = std::min(part_panels_, weights_.panels() - first_panel);
  const std::ptrdiff_t length = std::ptrdiff_t{tiles.count} * kernels_.width;
  const std::ptrdiff_t plane = plane_of(in.blocks(), panels, length);
  const Planes sums{scratch, plane, length};
  const Planes inputs{scratch + planes_ahead(scheme_) * plane, plane, length};
  const auto scheme = static_cast<std::size_t>(scheme_);
  kernels_.transform_in[scheme](in.data(), {in.block_stride(), in.row_stride()}, tiles, in.blocks(), inputs);
  multiply(block, first_panel, panels, inputs, sums);
  const std::ptrdiff_t first = std::ptrdiff_t{2} * first_panel;
  kernels_.transform_out[scheme](sums, tiles, std::min(2 * panels, out.blocks() - 2 * first_panel),
                                 out.data() + first * out.block_stride(),
                                 {out.block_stride(), out.row_stride()},
                                 {prepared_ + first * kernels_.width, call_.add, call_.relu});
}

}  // namespace

int block_of(Isa isa) {
  return checked_kernels(isa).width;
}

ImageDims ConvShape::output(const ImageDims& input) const {
  const int padding = kernel % 2 == 1 ? kernel / 2 : 0;
  const auto side = [&](int pixels) { return (pixels + 2 * padding - kernel) / stride + 1; };
  return {out, side(input.height), side(input.width)};
}

std::size_t Convolution::prepared_size(Isa isa, const ConvShape& shape) {
  return layout_of(isa, shape).size();
}

void Convolution::prepare(Isa isa, const ConvShape& shape, std::span<const float> weight,
                          std::span<const float> bias, std::span<float> to) {
  layout_of(isa, shape).write(weight, bias, to);
}

std::size_t Convolution::scratch(Isa isa, const ConvShape& shape, const ImageDims& out, int images) {
  const Kernels& kernels = checked_kernels(isa);
  const Scheme scheme = scheme_of(shape);
  const int tiles = std::min(Tiling::tiles(out, images), most_tiles(kernels, shape));
  const std::ptrdiff_t plane = plane_of(ceil_div(shape.in, kernels.width), layout_of(isa, shape).panels(),
                                        std::ptrdiff_t{tiles} * kernels.width);
  const int planes = products_of(scheme) * products_of(scheme) + planes_ahead(scheme);
  return static_cast<std::size_t>(planes * plane);
}

Convolution::Convolution(Isa isa, const ConvShape& shape, std::span<const float> prepared)
    : isa_(isa), shape_(shape), prepared_(prepared.data()) {
  static_cast<void>(layout_of(isa, shape));  // throws
}

void Convolution::operator()(const ConvCall& call, Workspace& workspace) const {
  workspace.reserve(scratch(isa_, shape_, call.out->dims(), call.images));
  const Job job(isa_, shape_, prepared_, call, workspace.team().threads());
  workspace.team().run(job.items(),
                       [&](int item, int thread) { job.compute(item, workspace.scratch(thread)); });
}

}  // namespace polyhead::kernels
