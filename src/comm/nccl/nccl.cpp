#include "polyhead/comm/nccl.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "comm/blocks.hpp"
#include "comm/copy_bytes.hpp"
#include "nccl_id.hpp"
#include "nccl_link.hpp"
#include "nccl_staging.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/base/trace.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/device/cuda.hpp"

namespace polyhead::comm {
namespace {

constexpr std::size_t kPiece = std::size_t{32} << 20U;  // bytes staged at a time; two pieces are under way

/// State that outlives the collectives while one of them is under way. The communicator ends first: memory is
/// freed only when nothing on the GPU can wait for other ranks.
struct NcclShared {
  NcclShared(const ncclUniqueId& id, int rank, int size, int index, std::chrono::milliseconds timeout)
      : device(index), stream(device::make_stream()), link(id, rank, size, timeout) {}

  int device;
  device::Stream stream;
  Staging staging;
  std::set<const Slot*> open;
  NcclLink link;
};

/// Range of bytes in a slot.
struct Range {
  std::size_t begin = 0;
  std::size_t size = 0;
};

class NcclPending final : public Pending {
 public:
  /// The range `result` of the slot is copied to `to`.
  NcclPending(std::shared_ptr<NcclShared> shared, Slot slot, const char* call, Range result, std::byte* to)
      : shared_(std::move(shared)),
        slot_(std::move(slot)),
        call_(call),
        result_(result),
        to_(to),
        flight_(call) {
    shared_->open.insert(&slot_);
  }
  NcclPending(const NcclPending&) = delete;
  NcclPending& operator=(const NcclPending&) = delete;
  ~NcclPending() override {
    try {
      wait();
    } catch (const Error&) {  // callers that need the error call `wait`
    }
  }

  void wait() override {
    if (std::exchange(waited_, true)) return;
    shared_->open.erase(&slot_);
    const trace::Span span("wait for the exchange");
    shared_->link.wait(call_, [&] { return device::passed(slot_.done); });
    flight_.end();  // or earlier: no thread looks at the GPU meanwhile
    if (result_.size > 0) std::memcpy(to_, slot_.host_bytes() + result_.begin, result_.size);
    shared_->staging.give_back(std::move(slot_));
  }

 private:
  std::shared_ptr<NcclShared> shared_;
  Slot slot_;
  const char* call_;
  Range result_;
  std::byte* to_;
  trace::Flight flight_;
  bool waited_ = false;
};

/// Collective with nothing to send.
class NothingPending final : public Pending {
  void wait() override {}
};

/// One collective in terms of its slot; all of them work in place.
struct Job {
  const char* call = "";
  std::size_t bytes = 0;  ///< bytes of the slot in use
  const void* from = nullptr;
  Range send;     ///< filled from `from`
  Range receive;  ///< copied to `to`
  void* to = nullptr;
};

class NcclCollectives final : public Collectives {
 public:
  NcclCollectives(std::shared_ptr<NcclShared> shared, int rank, int size)
      : shared_(std::move(shared)), rank_(rank), size_(size) {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }

  void broadcast(std::span<std::byte> bytes, int root) override {
    in_pieces(bytes, [&](std::span<std::byte> piece) {
      const Range all{0, piece.size()};
      const Range none{};
      const bool gives = rank_ == root;
      return start(
          {"ncclBroadcast", piece.size(), piece.data(), gives ? all : none, gives ? none : all, piece.data()},
          [&](std::byte* at, ncclComm_t comm, cudaStream_t stream) {
            return ncclBroadcast(at, at, piece.size(), ncclInt8, root, comm, stream);
          });
    });
  }

  void all_reduce(std::span<std::int64_t> values) override {
    in_pieces(values, [&](std::span<std::int64_t> piece) {
      const Range all{0, piece.size_bytes()};
      return start({"ncclAllReduce", all.size, piece.data(), all, all, piece.data()},
                   [&](std::byte* at, ncclComm_t comm, cudaStream_t stream) {
                     return ncclAllReduce(at, at, piece.size(), ncclInt64, ncclSum, comm, stream);
                   });
    });
  }

  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> bytes) override {
    // NCCL knows equal sizes only: first each rank's size is sent, then all bytes padded to the largest.
    const std::uint64_t mine = bytes.size();
    std::vector<std::uint64_t> sizes(static_cast<std::size_t>(size_));
    start_all_gather(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(sizes)))->wait();
    const std::size_t largest = std::ranges::max(sizes);
    std::vector<std::byte> padded(largest);
    copy_bytes(bytes, padded);
    std::vector<std::byte> all(largest * sizes.size());
    start_all_gather(padded, all)->wait();

    std::vector<std::vector<std::byte>> parts;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto part = std::span(all).subspan(i * largest, sizes[i]);
      parts.emplace_back(part.begin(), part.end());
    }
    return parts;
  }

  void barrier() override {
    std::int64_t value = 0;
    all_reduce(std::span(&value, 1));
  }

  std::unique_ptr<Pending> start_all_gather(std::span<const std::byte> mine,
                                            std::span<std::byte> all) override {
    check_blocks("all-gather", mine.size(), all.size(), size_);
    if (mine.empty()) return std::make_unique<NothingPending>();
    const Range block{static_cast<std::size_t>(rank_) * mine.size(), mine.size()};
    return start({"ncclAllGather", all.size(), mine.data(), block, {0, all.size()}, all.data()},
                 [&](std::byte* at, ncclComm_t comm, cudaStream_t stream) {
                   return ncclAllGather(at + block.begin, at, block.size, ncclInt8, comm, stream);
                 });
  }

  std::unique_ptr<Pending> start_reduce_scatter(std::span<const std::int64_t> all,
                                                std::span<std::int64_t> mine) override {
    check_blocks("reduce-scatter", mine.size(), all.size(), size_);
    if (mine.empty()) return std::make_unique<NothingPending>();
    const Range block{static_cast<std::size_t>(rank_) * mine.size_bytes(), mine.size_bytes()};
    return start(
        {"ncclReduceScatter", all.size_bytes(), all.data(), {0, all.size_bytes()}, block, mine.data()},
        [&](std::byte* at, ncclComm_t comm, cudaStream_t stream) {
          return ncclReduceScatter(at, at + block.begin, mine.size(), ncclInt64, ncclSum, comm, stream);
        });
  }

  std::unique_ptr<Pending> start_all_to_all(std::span<const std::byte> blocks, std::span<std::byte> received,
                                            std::span<const std::size_t> sizes) override {
    check_all_to_all(blocks.size(), received.size(), sizes, rank_, size_);
    if (blocks.empty() && received.empty()) return std::make_unique<NothingPending>();
    const Range sent{0, blocks.size()};
    const Range got{blocks.size(), received.size()};
    return start({"ncclSend", sent.size + got.size, blocks.data(), sent, got, received.data()},
                 [&](std::byte* at, ncclComm_t comm, cudaStream_t stream) {
                   return send_and_receive(at, at + got.begin, sizes, comm, stream);
                 });
  }

  /// Connects the ranks. NCCL does so at the first use of each kind of collective, and may wait for them. A
  /// failure here can still fall back to MPI. NCCL may connect once more at the first use in another size.
  void connect() {
    device::select(shared_->device);
    const std::vector<std::size_t> sizes(static_cast<std::size_t>(size_), sizeof(std::int64_t));
    const std::size_t block = sizes.size() * sizeof(std::int64_t);
    const std::size_t bytes = 3 * block;  // the ranges that are sent and received may not overlap
    Slot slot = shared_->staging.take(bytes, [] {});
    std::memset(slot.host_bytes(), 0, bytes);
    std::byte* at = slot.device_bytes();
    std::byte* own = at + static_cast<std::size_t>(rank_) * sizeof(std::int64_t);
    NcclLink& link = shared_->link;
    link.guard([&] { device::copy_to_device(at, slot.host_bytes(), bytes, shared_->stream); });
    link.group("connecting the ranks", [&] {
      const ncclComm_t comm = link.get();
      const cudaStream_t stream = shared_->stream.get();
      const std::array results{ncclAllGather(own, at, sizeof(std::int64_t), ncclInt8, comm, stream),
                               ncclReduceScatter(at, own, 1, ncclInt64, ncclSum, comm, stream),
                               ncclAllReduce(at, at, 1, ncclInt64, ncclSum, comm, stream),
                               ncclBroadcast(at, at, 1, ncclInt8, 0, comm, stream),
                               send_and_receive(at + block, at + 2 * block, sizes, comm, stream)};
      const auto bad = std::ranges::find_if(results, failed);
      return bad == results.end() ? ncclSuccess : *bad;
    });
    link.guard([&] { device::record(slot.done, shared_->stream); });
    NcclPending(shared_, std::move(slot), "connecting the ranks", {}, nullptr).wait();
  }

 private:
  /// Sends and receives in one group, all at once; also to this rank itself.
  ncclResult_t send_and_receive(const std::byte* blocks, std::byte* received,
                                std::span<const std::size_t> sizes, ncclComm_t comm,
                                cudaStream_t stream) const {
    const std::size_t own = sizes[static_cast<std::size_t>(rank_)];
    for (int other = 0; other < size_; ++other) {
      const std::size_t size = sizes[static_cast<std::size_t>(other)];
      if (own > 0) {
        const ncclResult_t sent = ncclSend(blocks, own, ncclInt8, other, comm, stream);
        if (failed(sent)) return sent;
      }
      if (size > 0) {
        const ncclResult_t got = ncclRecv(received, size, ncclInt8, other, comm, stream);
        if (failed(got)) return got;
      }
      blocks += own;
      received += size;
    }
    return ncclSuccess;
  }

  /// `call(start of the GPU's buffer, communicator, stream)` makes the NCCL call.
  template <class Call>
  std::unique_ptr<Pending> start(const Job& job, const Call& call) {
    device::select(shared_->device);  // CUDA's current GPU is the thread's
    NcclLink& link = shared_->link;
    Slot slot;
    link.guard([&] {
      slot = shared_->staging.take(job.bytes, [&] { quieten(); });
      if (job.send.size > 0) {
        std::byte* host = slot.host_bytes() + job.send.begin;
        std::memcpy(host, job.from, job.send.size);
        device::copy_to_device(slot.device_bytes() + job.send.begin, host, job.send.size, shared_->stream);
      }
    });
    link.group(job.call, [&] { return call(slot.device_bytes(), link.get(), shared_->stream.get()); });
    link.guard([&] {
      if (job.receive.size > 0) {
        device::copy_to_host(slot.host_bytes() + job.receive.begin, slot.device_bytes() + job.receive.begin,
                             job.receive.size, shared_->stream);
      }
      device::record(slot.done, shared_->stream);
    });
    return std::make_unique<NcclPending>(shared_, std::move(slot), job.call, job.receive,
                                         static_cast<std::byte*>(job.to));
  }

  /// Waits, with a limit, for the collectives under way. Taking GPU memory may wait without a limit for all
  /// that runs there, so work that waits for other ranks has to end first.
  void quieten() {
    shared_->link.wait("what was started before", [&] {
      return std::ranges::all_of(shared_->open, [](const Slot* slot) { return device::passed(slot->done); });
    });
  }

  template <class T, class Start>
  static void in_pieces(std::span<T> all, const Start& start_piece) {
    std::deque<std::unique_ptr<Pending>> open;
    while (!all.empty()) {
      const auto piece = all.first(std::min(all.size(), kPiece / sizeof(T)));
      open.push_back(start_piece(piece));
      all = all.subspan(piece.size());
      if (open.size() == 2) {
        open.front()->wait();
        open.pop_front();
      }
    }
    for (const auto& pending : open) pending->wait();
  }

  std::shared_ptr<NcclShared> shared_;
  int rank_;
  int size_;
};

}  // namespace

std::string why_no_nccl() {
  return "";
}

std::string nccl_version() {
  int version = 0;
  if (ncclGetVersion(&version) != ncclSuccess) return "";
  return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

std::unique_ptr<Collectives> make_nccl(Collectives& bootstrap, int device,
                                       std::chrono::milliseconds timeout) {
  agree(bootstrap, [&] { device::select(device); });
  const ncclUniqueId id = share_id(bootstrap);
  std::unique_ptr<NcclCollectives> result;
  agree(bootstrap, [&] {
    device::select(device);
    const int rank = bootstrap.rank();
    const int size = bootstrap.size();
    result = std::make_unique<NcclCollectives>(std::make_shared<NcclShared>(id, rank, size, device, timeout),
                                               rank, size);
    result->connect();
  });
  return result;
}

}  // namespace polyhead::comm
