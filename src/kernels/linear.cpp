#include "polyhead/kernels/linear.hpp"

#include <algorithm>
#include <vector>

#include "table.hpp"

namespace polyhead::kernels {
namespace {

/// Rows of weights per work item of a thread: nearly whole strips of either height.
constexpr int kItemRows = 56;

struct Item {
  const LinearCall* call;
  int first;
};

std::vector<Item> items_of(std::span<const LinearCall> calls) {
  std::vector<Item> items;
  items.reserve(calls.size());
  for (const LinearCall& call : calls) {
    for (int first = 0; first < call.out; first += kItemRows) items.push_back({&call, first});
  }
  return items;
}

}  // namespace

int panel_of(Isa isa) {
  return 2 * checked_kernels(isa).width;
}

int panels_of(Isa isa, int samples) {
  return (samples + panel_of(isa) - 1) / panel_of(isa);
}

void to_panels(Isa isa, std::span<const float> rows, int channels, float* panels) {
  const int panel = panel_of(isa);
  const int samples = static_cast<int>(rows.size()) / channels;
  for (int s = 0; s < samples; ++s) {
    float* to = panels + std::ptrdiff_t{s / panel} * panel * channels + s % panel;
    const float* from = rows.data() + std::ptrdiff_t{s} * channels;
    for (int c = 0; c < channels; ++c) to[std::ptrdiff_t{c} * panel] = from[c];
  }
}

void from_panels(Isa isa, const float* panels, int channels, std::span<float> rows) {
  constexpr int kTogether = 16;  // channels whose values stay in the first-level cache
  const int panel = panel_of(isa);
  const int samples = static_cast<int>(rows.size()) / channels;
  for (int first = 0; first < channels; first += kTogether) {
    const int end = std::min(channels, first + kTogether);
    for (int s = 0; s < samples; ++s) {
      const float* from = panels + std::ptrdiff_t{s / panel} * panel * channels + s % panel;
      float* to = rows.data() + std::ptrdiff_t{s} * channels;
      for (int c = first; c < end; ++c) to[c] = from[std::ptrdiff_t{c} * panel];
    }
  }
}

void compute(Isa isa, std::span<const LinearCall> calls, int panels, Team& team) {
  const Kernels& kernels = checked_kernels(isa);
  const std::vector<Item> items = items_of(calls);
  team.run(static_cast<int>(items.size()), [&](int item, int /*thread*/) {
    const auto [call, first] = items[static_cast<std::size_t>(item)];
    const int count = std::min(kItemRows, call->out - first);
    for (int panel = 0; panel < panels; ++panel) kernels.linear_rows(*call, first, count, panel);
  });
}

}  // namespace polyhead::kernels
