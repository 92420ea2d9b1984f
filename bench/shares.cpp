// Where the time of the CPU engine goes, and how near its products are to what the processor can do.
//
//   bench_shares [BATCH] [ROUNDS] [avx2]
//
// ResNet-18 at 224x224 with random weights, one thread. Links a table of kernels that take their own time:
// its `kernels_of` is found before the module's. A round makes the same calls as the others, and of each call
// the least time of all rounds counts, so that other load on the machine hardly shows. Reading the clock
// costs each call some 20 ns. The last line is a JSON object.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <deque>
#include <exception>
#include <random>
#include <string>
#include <vector>

#include <immintrin.h>

#include "polyhead/base/page_buffer.hpp"
#include "polyhead/resnet/network.hpp"
#include "table.hpp"

namespace polyhead::kernels {

extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;

namespace {

using Clock = std::chrono::steady_clock;

enum Part { gemm, transforms, stem, parts };
constexpr std::array<const char*, parts> kNames{"products", "transforms", "stem, all of it"};

struct Call {
  Part part;
  double seconds;
  double flops;
};

/// The calls of a round in their order, with the least time of each.
std::vector<Call> calls;
std::size_t next_call = 0;
bool in_stem = false;
const Kernels* real = nullptr;

template <class Work>
void timed(Part part, double flops, Work work) {
  const auto start = Clock::now();
  work();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (next_call == calls.size()) calls.push_back({part, seconds, flops});
  Call& call = calls[next_call++];
  call.seconds = std::min(call.seconds, seconds);
}

template <int kScheme>
void timed_in(const float* in, Strides strides, TileSpan tiles, int blocks, Planes to) {
  in_stem = Scheme{kScheme} == Scheme::stem;
  timed(in_stem ? stem : transforms, 0, [&] { real->transform_in[kScheme](in, strides, tiles, blocks, to); });
}

template <int kScheme>
void timed_out(Planes from, TileSpan tiles, int blocks, float* out, Strides strides, const Finish& finish) {
  timed(in_stem ? stem : transforms, 0,
        [&] { real->transform_out[kScheme](from, tiles, blocks, out, strides, finish); });
}

void timed_multiply(const Gemm& job) {
  const double flops = 4.0 * job.count * job.channels * real->width;
  timed(in_stem ? stem : gemm, flops, [&] { real->multiply(job); });
}

void timed_pool(const float* in, std::ptrdiff_t row, float* out, int columns) {
  timed(stem, 0, [&] { real->pool_row(in, row, out, columns); });
}

template <int... kScheme>
Kernels timed_kernels(std::integer_sequence<int, kScheme...> /*schemes*/) {
  Kernels made = *real;
  made.transform_in = {timed_in<kScheme>...};
  made.transform_out = {timed_out<kScheme>...};
  made.multiply = timed_multiply;
  made.pool_row = timed_pool;
  return made;
}

constexpr int kChains = 12;  // two units, 4 or 5 cycles; with a and b they fit 16 registers
constexpr int kTurns = 2000;

volatile float sink = 0;  // so that the compiler cannot foresee anything

__attribute__((target("avx512f"))) float fma_avx512() {
  __m512 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_ps(sink + static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.999F);
  const __m512 b = _mm512_set1_ps(0.001F);
  for (int turn = 0; turn < kTurns; ++turn) {
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, a, b);
  }
  for (int i = 1; i < kChains; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  return _mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma"))) float fma_avx2() {
  __m256 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm256_set1_ps(sink + static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.999F);
  const __m256 b = _mm256_set1_ps(0.001F);
  for (int turn = 0; turn < kTurns; ++turn) {
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, a, b);
  }
  for (int i = 1; i < kChains; ++i) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  return _mm256_cvtss_f32(sums[0]);
}

/// FLOP/s of nothing but fused multiply-adds on registers.
double fma_peak(Isa isa) {
  double least = 1;
  for (int round = 0; round < 2000; ++round) {
    const auto start = Clock::now();
    sink = isa == Isa::avx512 ? fma_avx512() : fma_avx2();
    least = std::min(least, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return 2.0 * kChains * kTurns * real->width / least;
}

void report(Isa isa, int batch, double whole) {
  constexpr double kDirect = 3.63e9;  // FLOP an image of direct convolutions
  const double peak = fma_peak(isa);
  std::array<double, parts> seconds{};
  std::array<double, parts> flops{};
  double all = 0;
  for (const Call& call : calls) {
    seconds[call.part] += call.seconds / batch;
    flops[call.part] += call.flops / batch;
    all += call.seconds / batch;
  }
  std::printf("%s, batch %d, 1 thread; FMA peak %.1f GFLOP/s\n", std::string(name(isa)).c_str(), batch,
              peak / 1e9);
  std::printf("%-18s %10s %8s %22s\n", "", "ms/image", "of all", "its products, of peak");
  std::string json;
  const auto line = [&](const char* what, double time, double done) {
    const double share = done / time / peak;
    std::printf("%-18s %10.3f %7.1f%% %21.1f%%\n", what, 1e3 * time, 100 * time / all, 100 * share);
    json += (json.empty() ? "" : ", ") + std::string("\"") + what +
            "\": {\"ms\": " + std::to_string(1e3 * time) + ", \"of_peak\": " + std::to_string(share) + "}";
  };
  for (int part = 0; part < parts; ++part) line(kNames[part], seconds[part], flops[part]);
  line("all", all, flops[gemm] + flops[stem]);
  line("direct would be", all, kDirect);
  std::printf("a whole round, with the clocks and what stands between the calls: %.3f ms/image\n",
              1e3 * whole / batch);
  std::printf("{\"isa\": \"%s\", \"batch\": %d, \"peak_gflops\": %f, \"parts\": {%s}}\n",
              std::string(name(isa)).c_str(), batch, peak / 1e9, json.c_str());
}

}  // namespace

const Kernels* kernels_of(Isa isa) {
  const bool avx512 = __builtin_cpu_supports("avx512f");
  if (isa == Isa::avx512 && !avx512) return nullptr;
  real = isa == Isa::avx512 ? &kAvx512Kernels : &kAvx2Kernels;
  static const Kernels made = timed_kernels(std::make_integer_sequence<int, kSchemes>());
  return &made;
}

}  // namespace polyhead::kernels

namespace {

using namespace polyhead;

/// Random weights that keep activations near 1, transformed.
PageBuffer random_weights(kernels::Isa isa, const resnet::Spec& spec) {
  std::minstd_rand random(1);
  std::deque<std::vector<float>> values;
  std::vector<resnet::FoldedConv> weights;
  for (const resnet::ConvSpec& conv : convolutions(spec)) {
    const int inputs = conv.shape.in * conv.shape.kernel * conv.shape.kernel;
    std::normal_distribution<float> value(0, 1 / std::sqrt(static_cast<float>(inputs)));
    std::vector<float>& weight = values.emplace_back(static_cast<std::size_t>(conv.shape.out * inputs));
    for (float& one : weight) one = value(random);
    weights.push_back({weight, values.emplace_back(static_cast<std::size_t>(conv.shape.out), 0.1F)});
  }
  PageBuffer prepared(resnet::Network::prepared_size(isa, spec));
  resnet::Network::prepare(isa, spec, weights, {prepared.data(), prepared.size()});
  return prepared;
}

}  // namespace

int main(int argc, char** argv) try {
  constexpr int kSide = 224;
  const int batch = argc > 1 ? std::stoi(argv[1]) : 16;
  const int rounds = argc > 2 ? std::stoi(argv[2]) : 20;
  const bool avx512 = argc <= 3 && __builtin_cpu_supports("avx512f");
  const kernels::Isa isa = avx512 ? kernels::Isa::avx512 : kernels::Isa::avx2;
  const resnet::Spec spec = resnet::spec_of(config::Arch::resnet18);
  const PageBuffer prepared = random_weights(isa, spec);
  const resnet::Network net(isa, spec, {prepared.data(), prepared.size()});
  resnet::Network::Memory memory(net, batch, kSide, kSide, 1);
  std::vector<float> pixels(static_cast<std::size_t>(batch) * 3 * kSide * kSide);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = std::sin(static_cast<float>(i));
  std::vector<float> features(static_cast<std::size_t>(batch * net.feature_width()));
  double whole = 1e9;
  for (int round = 0; round < rounds; ++round) {
    kernels::next_call = 0;
    const auto start = kernels::Clock::now();
    net.features(pixels, features, memory);
    whole = std::min(whole, std::chrono::duration<double>(kernels::Clock::now() - start).count());
  }
  kernels::report(isa, batch, whole);
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_shares: %s\n", error.what());
  return 1;
}
