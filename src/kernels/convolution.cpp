#include "polyhead/kernels/convolution.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "table.hpp"
#include "tiling.hpp"
#include "weights.hpp"

namespace polyhead::kernels {
namespace {

/// Planes of products start this many floats further apart than they are long: at a power of two they would
/// all fall into the same few sets of the caches.
constexpr std::ptrdiff_t kPad = 16;
/// Tiles of a block where channels are few.
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

/// Tiles of a block, at most. More channels: more tiles, so that weights are read less often; fewer: what a
/// block needs stays in the second-level cache.
int most_tiles(const Kernels& kernels, const ConvShape& shape) {
  return std::max(shape.in / 32, ceil_div(kFewTiles, kernels.rows)) * kernels.rows;
}

/// Panels that are computed at once, at most.
int most_panels(const ConvShape& shape, int panels) {
  return std::min(panels, std::max(1, shape.in >= 256 ? panels : shape.in / 64 * 2));
}

/// Floats of the transformed tiles of a block.
std::size_t scratch_floats(const Kernels& kernels, int products, int blocks, int tiles) {
  const std::ptrdiff_t product = std::ptrdiff_t{blocks} * tiles * kernels.width + kPad;
  return static_cast<std::size_t>(products * products * product);
}

}  // namespace

int block_of(Isa isa) {
  return checked_kernels(isa).width;
}

struct Convolution::Body {
  Body(Isa isa, const ConvShape& conv_shape, std::span<const float> prepared_weights)
      : kernels(checked_kernels(isa)),
        shape(conv_shape),
        scheme(scheme_of(conv_shape)),
        slots(slots_of(scheme)),
        products(algorithm(scheme, kTile).most_products),
        weights(layout_of(isa, shape)),
        prepared(prepared_weights.data()) {}

  /// How a call is shared out: blocks of tiles and, where these are too few, runs of panels.
  struct Cut {
    int tiles = 0;  ///< of a block, at most
    int blocks = 0;
    int panels = 0;  ///< of a part, at most
    int parts = 0;
    int pass = 0;  ///< panels that are computed before the next input tiles' cache lines are given up
  };
  [[nodiscard]] Cut cut(int tiles, int threads) const;
  void reserve(const Cut& cut, int blocks_in, Workspace& workspace) const;

  void compute(const ConvCall& call, const Tiling& tiling, const Cut& cut, int item,
               Workspace::Scratch& scratch) const;
  void multiply(const Tiling& tiling, const Tiling::Block& block, Planes inputs, Planes sums, int first_panel,
                int panels) const;

  const Kernels& kernels;
  ConvShape shape;
  Scheme scheme;
  int slots;
  int products;  ///< along an axis
  Weights weights;
  const float* prepared;
};

Convolution::Body::Cut Convolution::Body::cut(int tiles, int threads) const {
  const int most = most_tiles(kernels, shape);
  Cut made;
  made.blocks = ceil_div(tiles, most);
  if (made.blocks < threads) {
    made.parts = std::min(weights.panels(), ceil_div(threads, made.blocks));
  } else {
    made.blocks = ceil_div(made.blocks, threads) * threads;
    made.parts = 1;
  }
  made.tiles = ceil_div(tiles, made.blocks);
  made.blocks = ceil_div(tiles, made.tiles);
  made.panels = ceil_div(weights.panels(), made.parts);
  made.parts = ceil_div(weights.panels(), made.panels);
  made.pass = most_panels(shape, made.panels);
  return made;
}

/// One thread's share of the product: every product of every tile of the block, with `panels` panels.
void Convolution::Body::multiply(const Tiling& tiling, const Tiling::Block& block, Planes inputs, Planes sums,
                                 int first_panel, int panels) const {
  struct Run {
    std::ptrdiff_t product;
    Tiling::Range tiles;
  };
  std::vector<Run> runs;
  const Algorithm whole = algorithm(scheme, kTile);
  for (int slot = 0; slot < slots * slots; ++slot) {
    runs.clear();
    int strips = 0;
    for (int y = 0; y < products; ++y) {
      for (int x = 0; x < products; ++x) {
        if (whole.slot[y] != slot / slots || whole.slot[x] != slot % slots) continue;
        const Tiling::Range range = tiling.needing(block, y, x);
        if (range.count == 0) continue;
        runs.push_back({y * products + x, range});
        strips += ceil_div(range.count, kernels.rows);
      }
    }
    if (runs.empty()) continue;
    Gemm gemm;
    gemm.tiles_block = inputs.block;
    gemm.sums_block = sums.block;
    gemm.next_lines = ceil_div(2 * kernels.width * kernels.width / 16, strips);
    for (int chunk = 0; chunk < weights.chunks(); ++chunk) {
      gemm.channels = weights.chunk_size(chunk);
      gemm.accumulate = chunk > 0;
      for (int panel = 0; panel < panels; ++panel) {
        gemm.weights = prepared + weights.at(slot, chunk, first_panel + panel);
        gemm.next = gemm.weights + std::ptrdiff_t{gemm.channels} * 2 * kernels.width;
        for (const Run& run : runs) {
          gemm.tiles = inputs.data + run.product * inputs.product +
                       chunk * (Weights::kChunk / kernels.width) * inputs.block +
                       run.tiles.first * kernels.width;
          gemm.sums = sums.data + run.product * sums.product + 2 * panel * sums.block +
                      run.tiles.first * kernels.width;
          gemm.count = run.tiles.count;
          kernels.multiply(gemm);
          gemm.next += std::ptrdiff_t{ceil_div(gemm.count, kernels.rows)} * (gemm.channels / kernels.width) *
                       gemm.next_lines * 16;
        }
      }
    }
  }
}

void Convolution::Body::compute(const ConvCall& call, const Tiling& tiling, const Cut& cut, int item,
                                Workspace::Scratch& scratch) const {
  const int first_tile = item / cut.parts * cut.tiles;
  const Tiling::Block block = tiling.block(first_tile, std::min(cut.tiles, tiling.tiles() - first_tile));
  const TileSpan tiles{block.tiles.data(), static_cast<int>(block.tiles.size())};
  const std::ptrdiff_t length = std::ptrdiff_t{tiles.count} * kernels.width;
  const Planes inputs{scratch.inputs.data(), call.in->blocks() * length + kPad, length};
  const Planes sums{scratch.sums.data(), 2 * cut.pass * length + kPad, length};
  kernels.transform_in[static_cast<std::size_t>(scheme)](
      call.in->data(), {call.in->block_stride(), call.in->row_stride()}, tiles, call.in->blocks(), inputs);
  const int first_panel = item % cut.parts * cut.panels;
  const int end = std::min(weights.panels(), first_panel + cut.panels);
  for (int panel = first_panel; panel < end; panel += cut.pass) {
    const int panels = std::min(cut.pass, end - panel);
    multiply(tiling, block, inputs, sums, panel, panels);
    const std::ptrdiff_t first_block = 2 * panel;
    const int blocks =
        static_cast<int>(std::min<std::ptrdiff_t>(2 * panels, call.out->blocks() - first_block));
    Finish finish;
    finish.bias = prepared + first_block * kernels.width;
    finish.relu = call.relu;
    if (call.residual != nullptr) {
      finish.residual_strides = {call.residual->block_stride(), call.residual->row_stride()};
      finish.residual = call.residual->data() + first_block * call.residual->block_stride();
    }
    kernels.transform_out[static_cast<std::size_t>(scheme)](
        sums, tiles, blocks, call.out->data() + first_block * call.out->block_stride(),
        {call.out->block_stride(), call.out->row_stride()}, finish);
  }
}

ConvFootprint footprint(Isa isa, const ConvShape& shape, int tiles) {
  const Kernels& kernels = checked_kernels(isa);
  const Scheme scheme = scheme_of(shape);
  const int panel = 2 * kernels.width;
  const int panels = ceil_div(shape.out, panel);
  const int products = algorithm(scheme, kTile).most_products;
  tiles = std::min(tiles, most_tiles(kernels, shape));
  ConvFootprint made;
  made.inputs = scratch_floats(kernels, products, ceil_div(shape.in, kernels.width), tiles);
  made.sums = scratch_floats(kernels, products, 2 * most_panels(shape, panels), tiles);
  return made;
}

std::size_t Convolution::prepared_size(Isa isa, const ConvShape& shape) {
  return layout_of(isa, shape).size();
}

void Convolution::prepare(Isa isa, const ConvShape& shape, std::span<const float> weight,
                          std::span<const float> bias, std::span<float> to) {
  layout_of(isa, shape).write(weight, bias, to);
}

Convolution::Convolution(Isa isa, const ConvShape& shape, std::span<const float> prepared)
    : body_(std::make_unique<const Body>(isa, shape, prepared)) {}
Convolution::~Convolution() = default;
Convolution::Convolution(Convolution&&) noexcept = default;

ImageDims Convolution::output(const ImageDims& in) const {
  const ConvShape& shape = body_->shape;
  const auto side = [&](int pixels) {
    return body_->scheme == Scheme::stem ? pixels - shape.kernel + 1 : (pixels - 1) / shape.stride + 1;
  };
  return {shape.out, side(in.height), side(in.width)};
}

void Convolution::Body::reserve(const Cut& cut, int blocks_in, Workspace& workspace) const {
  const auto room = [&](int blocks) { return scratch_floats(kernels, products, blocks, cut.tiles); };
  workspace.reserve(room(blocks_in), room(2 * cut.pass));
}

void Convolution::operator()(const ConvCall& call, Workspace& workspace) const {
  const Tiling tiling(body_->scheme, call);
  const Body::Cut cut = body_->cut(tiling.tiles(), workspace.team().threads());
  body_->reserve(cut, call.in->blocks(), workspace);
  workspace.team().run(cut.blocks * cut.parts, [&](int item, int thread) {
    body_->compute(call, tiling, cut, item, workspace.scratch(thread));
  });
}

void Convolution::reserve(const ConvCall& call, Workspace& workspace) const {
  const Tiling tiling(body_->scheme, call);
  body_->reserve(body_->cut(tiling.tiles(), 1), call.in->blocks(), workspace);
}

void Convolution::alone(const ConvCall& call, Workspace::Scratch& scratch) const {
  const Tiling tiling(body_->scheme, call);
  const Body::Cut cut = body_->cut(tiling.tiles(), 1);
  for (int item = 0; item < cut.blocks; ++item) body_->compute(call, tiling, cut, item, scratch);
}

}  // namespace polyhead::kernels
