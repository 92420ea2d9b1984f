#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "polyhead/device/stream.hpp"

namespace polyhead::comm {

/// Resources of one collective: a buffer on the GPU, one of the same size on the host, and the event that
/// ends it.
struct Slot {
  std::size_t capacity = 0;  ///< bytes of each
  device::HostMemory host;
  device::DeviceMemory device;
  device::Event done;

  [[nodiscard]] std::byte* host_bytes() const { return static_cast<std::byte*>(host.get()); }
  [[nodiscard]] std::byte* device_bytes() const { return static_cast<std::byte*>(device.get()); }
};

/// Slots, kept for reuse: taking memory may wait for all that runs on the GPU.
class Staging {
 public:
  /// Slot of at least `bytes` bytes. Before a new one is made, `quieten` is called.
  Slot take(std::size_t bytes, const std::function<void()>& quieten);
  void give_back(Slot slot);

 private:
  std::vector<Slot> free_;
};

}  // namespace polyhead::comm
