#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace nccl_double {

/// Sends and receives of one group are one operation, `send`.
enum class Kind : std::int64_t { broadcast, all_reduce, reduce_scatter, all_gather, send, receive, split };

/// What all ranks must say alike of a collective.
struct Signature {
  Kind kind = Kind::broadcast;
  std::int64_t type = 0;
  std::int64_t op = 0;
  std::int64_t root = 0;
  std::int64_t count = 0;
  bool operator==(const Signature&) const = default;
};

enum class Outcome { done, differs, aborted };

/// Where the ranks of a communicator meet: a piece of shared memory with a place for each.
class Meeting {
 public:
  static constexpr std::size_t kChunk = std::size_t{256} << 10U;
  /// `parts`: the same chunk, as each rank gave it.
  using Take =
      std::function<void(std::size_t offset, std::span<const std::byte* const> parts, std::size_t size)>;

  Meeting(std::string name, int ranks, int rank, const std::string& gpu);
  ~Meeting();
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;

  [[nodiscard]] bool all_here();
  /// Two ranks named the same GPU. Once all are here.
  [[nodiscard]] bool gpu_is_shared() const;
  void leave();
  [[nodiscard]] bool all_left() const;

  /// Gives `bytes` to all ranks, chunk by chunk. Waits for them until `aborted`.
  Outcome exchange(const Signature& mine, std::span<const std::byte> bytes, const Take& take,
                   const std::atomic<bool>& aborted);

 private:
  struct Seat;
  struct Table;

  [[nodiscard]] Seat& seat(int rank) const;
  bool step(const std::atomic<bool>& aborted);

  std::string name_;
  int ranks_;
  int rank_;
  std::size_t size_;
  Table* table_ = nullptr;
};

}  // namespace nccl_double
