#include "meeting.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace nccl_double {

// Fresh shared memory is all zeros, which is what these atomics start from.
struct Meeting::Table {
  std::atomic<int> here;
  std::atomic<int> left;
};

struct Meeting::Seat {
  std::atomic<std::uint64_t> steps;
  char gpu[64];
  Signature signature;
  std::byte chunk[kChunk];
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

Meeting::Meeting(std::string name, int ranks, int rank, const std::string& gpu)
    : name_(std::move(name)),
      ranks_(ranks),
      rank_(rank),
      size_(64 + sizeof(Seat) * static_cast<std::size_t>(ranks)) {
  const int file = shm_open(name_.c_str(), O_CREAT | O_RDWR, 0600);
  if (file < 0 || ftruncate(file, static_cast<off_t>(size_)) != 0) throw std::runtime_error("shared memory");
  void* memory = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) throw std::runtime_error("mmap of shared memory");
  table_ = static_cast<Table*>(memory);
  std::snprintf(seat(rank).gpu, sizeof(seat(rank).gpu), "%s", gpu.c_str());
  ++table_->here;
}

Meeting::~Meeting() {
  munmap(table_, size_);
  shm_unlink(name_.c_str());  // the first to go; the others keep what they have
}

Meeting::Seat& Meeting::seat(int rank) const {
  std::byte* first = reinterpret_cast<std::byte*>(table_) + 64;
  return *reinterpret_cast<Seat*>(first + sizeof(Seat) * static_cast<std::size_t>(rank));
}

bool Meeting::all_here() {
  if (table_->here < ranks_) return false;
  shm_unlink(name_.c_str());
  return true;
}

bool Meeting::gpu_is_shared() const {
  for (int a = 0; a < ranks_; ++a) {
    for (int b = 0; b < a; ++b) {
      if (std::strcmp(seat(a).gpu, seat(b).gpu) == 0) return true;
    }
  }
  return false;
}

void Meeting::leave() {
  ++table_->left;
}

bool Meeting::all_left() const {
  return table_->left >= ranks_;
}

/// One step, together with all ranks.
bool Meeting::step(const std::atomic<bool>& aborted) {
  const std::uint64_t mine = ++seat(rank_).steps;
  for (int rank = 0; rank < ranks_; ++rank) {
    auto pause = std::chrono::microseconds(5);
    while (seat(rank).steps < mine) {
      if (aborted) return false;
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, std::chrono::microseconds(200));
    }
  }
  return true;
}

Outcome Meeting::exchange(const Signature& mine, std::span<const std::byte> bytes, const Take& take,
                          const std::atomic<bool>& aborted) {
  seat(rank_).signature = mine;
  if (!step(aborted)) return Outcome::aborted;
  std::vector<const std::byte*> parts;
  for (int rank = 0; rank < ranks_; ++rank) {
    if (seat(rank).signature != mine) return Outcome::differs;
    parts.push_back(seat(rank).chunk);
  }
  for (std::size_t begin = 0; begin < bytes.size(); begin += kChunk) {
    const auto piece = bytes.subspan(begin, std::min(kChunk, bytes.size() - begin));
    std::memcpy(seat(rank_).chunk, piece.data(), piece.size());  // a loop over bytes is slow under sanitizers
    if (!step(aborted)) return Outcome::aborted;
    take(begin, parts, piece.size());
    if (!step(aborted)) return Outcome::aborted;  // before anyone writes the next one
  }
  return Outcome::done;
}

}  // namespace nccl_double
