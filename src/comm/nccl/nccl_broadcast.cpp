#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "nccl_id.hpp"
#include "nccl_link.hpp"
#include "polyhead/base/trace.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/comm/device_broadcast.hpp"
#include "polyhead/device/cuda.hpp"
#include "polyhead/device/stream.hpp"

namespace polyhead::comm {
namespace {

constexpr std::size_t kPiece = std::size_t{32} << 20U;

class NcclBroadcast final : public DeviceBroadcast {
 public:
  NcclBroadcast(const ncclUniqueId& id, int rank, int size, int device, std::chrono::milliseconds timeout)
      : device_(device), rank_(rank), link_(id, rank, size, timeout) {}
  NcclBroadcast(NcclBroadcast& all, bool joins)
      : device_(all.device_), rank_(all.rank_), link_(all.link_, all.rank_, joins) {}

  void broadcast(std::span<const std::byte> from, std::byte* to, std::size_t bytes) override {
    const trace::Span span("ncclBroadcast");
    device::select(device_);
    link_.guard([&] { make_room(std::min(bytes, kPiece), to == nullptr); });
    for (std::size_t done = 0; done < bytes; done += kPiece) {
      const std::size_t size = std::min(kPiece, bytes - done);
      send_piece(rank_ == 0 ? from.subspan(done, size) : std::span<const std::byte>{},
                 to == nullptr ? static_cast<std::byte*>(passing_.get()) : to + done, size);
    }
  }

  /// Connects the ranks. NCCL does so at the first use of each size's algorithm, so a piece in full size is
  /// sent. A failure here can still fall back to MPI.
  void connect() {
    device::DeviceMemory place = device::allocate_device(kPiece);
    const std::vector<std::byte> zeros(rank_ == 0 ? kPiece : 0);
    broadcast(zeros, static_cast<std::byte*>(place.get()), kPiece);
  }

  std::unique_ptr<DeviceBroadcast> among(bool join) override {
    device::select(device_);
    auto part = std::make_unique<NcclBroadcast>(*this, join);
    if (!join) return nullptr;
    return part;
  }

 private:
  /// Takes memory before anything is under way: taking GPU memory may wait for all that runs there.
  void make_room(std::size_t bytes, bool passes_on) {
    if (!stream_) stream_ = device::make_stream();
    if (!done_) done_ = device::make_event();
    if (rank_ == 0 && bytes > host_room_) host_ = device::allocate_host(host_room_ = bytes);
    if (passes_on && bytes > passing_room_) passing_ = device::allocate_device(passing_room_ = bytes);
  }

  void send_piece(std::span<const std::byte> from, std::byte* at, std::size_t size) {
    link_.guard([&] {
      if (from.empty()) return;
      std::memcpy(host_.get(), from.data(), size);
      device::copy_to_device(at, host_.get(), size, stream_);
    });
    link_.group("ncclBroadcast",
                [&] { return ncclBroadcast(at, at, size, ncclInt8, 0, link_.get(), stream_.get()); });
    link_.guard([&] { device::record(done_, stream_); });
    link_.wait("ncclBroadcast", [&] { return device::passed(done_); });
  }

  int device_;
  int rank_;  ///< rank in the first communicator; rank 0 is rank 0 in all of them
  device::Stream stream_;
  std::size_t host_room_ = 0;
  device::HostMemory host_;  ///< rank 0's, page-locked
  std::size_t passing_room_ = 0;
  device::DeviceMemory passing_;  ///< rank 0's buffer for data that it does not keep
  device::Event done_;
  NcclLink link_;  ///< last member, so destroyed first: nothing on the GPU may wait for other ranks when
                   ///< memory is freed
};

}  // namespace

std::unique_ptr<DeviceBroadcast> make_device_broadcast(Collectives& bootstrap, int device,
                                                       std::chrono::milliseconds timeout) {
  agree(bootstrap, [&] { device::select(device); });
  const ncclUniqueId id = share_id(bootstrap);
  std::unique_ptr<DeviceBroadcast> result;
  agree(bootstrap, [&] {
    device::select(device);
    auto made = std::make_unique<NcclBroadcast>(id, bootstrap.rank(), bootstrap.size(), device, timeout);
    made->connect();
    result = std::move(made);
  });
  return result;
}

}  // namespace polyhead::comm
