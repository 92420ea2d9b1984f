#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "polyhead/base/error.hpp"
#include "polyhead/store/writer.hpp"

namespace polyhead::run::testing {

/// The result file's bytes in memory, kept beyond the writer's life.
struct Disk {
  std::vector<std::byte> bytes;
  std::atomic<int> syncs = 0;
  std::chrono::milliseconds sync_time{0};
  bool full = false;  ///< every write fails
};

class MemoryFile final : public store::File {
 public:
  explicit MemoryFile(Disk& disk) : disk_(disk) {}
  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    if (disk_.full) throw Error(ExitCode::io_error, "no space left on device");
    if (disk_.bytes.size() < offset + bytes.size()) disk_.bytes.resize(offset + bytes.size());
    std::memcpy(disk_.bytes.data() + offset, bytes.data(), bytes.size());
  }
  void sync() override {
    std::this_thread::sleep_for(disk_.sync_time);
    ++disk_.syncs;
  }

 private:
  Disk& disk_;
};

/// A layout with one head and two classes.
inline store::Layout small_layout(std::int64_t samples, std::int64_t batch) {
  store::Layout layout;
  layout.samples = samples;
  layout.classes = 2;
  layout.heads = {"only"};
  layout.head_weights = {1.0};
  layout.fusion_rule = "mean-logits";
  layout.batch = batch;
  return layout;
}

/// Datasets and texts begin `apart` bytes from each other.
inline store::Offsets small_offsets(std::uint64_t apart = 1U << 20U) {
  store::Offsets offsets;
  offsets.of("/fused/scores") = 0;
  offsets.of("/fused/prediction") = apart;
  offsets.of("/heads/prediction") = 2 * apart;
  offsets.of("/samples/status") = 3 * apart;
  offsets.of("/samples/reason") = 4 * apart;
  offsets.ledger = 5 * apart;
  offsets.provenance = {6 * apart, apart};
  offsets.summary = {7 * apart, apart};
  offsets.certificate = {8 * apart, apart};
  return offsets;
}

/// Rows whose prediction is the sample's number.
inline store::Rows numbered_rows(std::int64_t index, std::int64_t first, std::int64_t count,
                                 std::uint8_t status = 1) {
  store::Rows rows;
  rows.batch = index;
  rows.count = count;
  const auto n = static_cast<std::size_t>(count);
  rows.fused_scores.assign(n * 2, 0.5F);
  rows.head_prediction.assign(n, 0);
  rows.status.assign(n, status);
  rows.reason.assign(n, status == 1 ? 0 : 1);
  for (std::int64_t i = 0; i < count; ++i)
    rows.fused_prediction.push_back(static_cast<std::int32_t>(first + i));
  return rows;
}

}  // namespace polyhead::run::testing
