#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/device/cuda.hpp"
#include "polyhead/device/stream.hpp"
#include "set_up.hpp"
#include "share_weights.hpp"
#include "weight_parts.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kLook = std::size_t{16} << 20U;  // bytes read back from the GPU at a time

std::shared_ptr<float> values_on_gpu(std::size_t count) {
  auto memory = std::make_shared<device::DeviceMemory>(device::allocate_device(count * sizeof(float)));
  return {memory, static_cast<float*>(memory->get())};
}

/// Reads back values that a GPU holds.
class Reader {
 public:
  Digest digest(const float* values, std::size_t count) {
    Hasher hasher;
    const auto* at = reinterpret_cast<const std::byte*>(values);
    for (std::size_t left = count * sizeof(float); left > 0;) {
      const std::size_t size = std::min(left, kLook);
      device::copy_to_host(host_.get(), at, size, stream_);
      device::finish(stream_);
      hasher.update(std::span(static_cast<const std::byte*>(host_.get()), size));
      at += size;
      left -= size;
    }
    return hasher.digest();
  }

 private:
  device::Stream stream_ = device::make_stream();
  device::HostMemory host_ = device::allocate_host(kLook);
};

/// Parts: the backbone first, then each member's heads.
std::vector<Part> parts_of(const model::Layout& layout, const std::vector<plan::HeadRange>& ranges) {
  std::vector<Part> parts{backbone_of(layout)};
  for (const plan::HeadRange& range : ranges) parts.push_back(part_of(layout, range));
  return parts;
}

std::span<const std::byte> bytes_of(std::span<const float> all, Part part) {
  return all.empty() ? std::span<const std::byte>{} : std::as_bytes(all.subspan(part.begin, part.size));
}

/// Broadcasts all parts; a rank that computes takes part. `all`: on rank 0.
void broadcast_all(comm::DeviceBroadcast& to_gpus, std::span<const float> all, const std::vector<Part>& parts,
                   int member, float* place) {
  const auto send = [&](comm::DeviceBroadcast& ranks, Part part, float* keep) {
    if (part.size > 0)
      ranks.broadcast(bytes_of(all, part), reinterpret_cast<std::byte*>(keep), part.size * sizeof(float));
  };
  send(to_gpus, parts[0], place);
  float* const heads = place + parts[0].size;
  if (parts.size() == 2) return send(to_gpus, parts[1], heads);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const bool holds = static_cast<int>(i) == member + 1;
    const auto holders = to_gpus.among(holds || !all.empty());
    if (holders) send(*holders, parts[i], holds ? heads : nullptr);
  }
}

/// Compares what arrived with what rank 0 sent.
void compare(comm::Collectives& world, const std::string& host, std::span<const float> all,
             const std::vector<Part>& parts, int member, const float* place) {
  std::vector<Digest> sent(parts.size());
  if (world.rank() == 0) {
    for (std::size_t i = 0; i < parts.size(); ++i)
      sent[i] = digest_of(all.subspan(parts[i].begin, parts[i].size));
  }
  world.broadcast(std::as_writable_bytes(std::span(sent)), 0);
  agree_naming_place(world, host, [&] {
    if (member < 0) return;
    Reader reader;
    const auto own = static_cast<std::size_t>(member) + 1;
    if (reader.digest(place, parts[0].size) == sent[0] &&
        reader.digest(place + parts[0].size, parts[own].size) == sent[own])
      return;
    throw Error(ExitCode::unavailable,
                "the weights arrived damaged on the GPU: their digest differs from rank 0's");
  });
}

}  // namespace

model::Weights share_weights_over_nccl(comm::Collectives& world, const std::string& host,
                                       comm::DeviceBroadcast* to_gpus, int device,
                                       const config::Config& config, model::Weights& all,
                                       const std::vector<plan::HeadRange>& ranges, int member) {
  const auto start = Clock::now();
  const model::Layout layout = model::make_layout(config, all.members.get());
  const std::vector<Part> parts = parts_of(layout, ranges);
  model::Weights mine;
  agree_naming_place(world, host, [&] {
    if (member < 0) return;
    std::size_t size = 0;
    mine = without_values(config, layout, all.members.get(), ranges.at(as_index(member)), size);
    device::select(device);
    mine.on_gpu = values_on_gpu(size);
  });
  agree_naming_place(world, host, [&] {
    if (member >= 0) broadcast_all(*to_gpus, all.values, parts, member, mine.on_gpu.get());
  });
  compare(world, host, all.values, parts, member, mine.on_gpu.get());
  give_back(all.values);
  std::int64_t gpus = member >= 0 ? 1 : 0;
  world.all_reduce(std::span(&gpus, 1));
  if (world.rank() == 0) {
    std::size_t bytes = 0;
    for (const Part& part : parts) bytes += part.size * sizeof(float);
    log::info(fmt::format("weights: {} to {} GPU(s) over NCCL in {}", human_bytes(bytes), gpus,
                          human_seconds(std::chrono::duration<double>(Clock::now() - start).count())));
  }
  return mine;
}

}  // namespace polyhead::run
