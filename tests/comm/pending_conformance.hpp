#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include "conformance.hpp"

/// What started collectives must do, in every implementation.
namespace polyhead::comm::conformance {

/// What rank `rank` gives to call number `call`. It repeats itself after 256 bytes, which are copied as a
/// whole: a loop over all bytes is slow under sanitizers.
inline std::vector<std::byte> text(int rank, int call, std::size_t size) {
  constexpr std::size_t kPeriod = 256;
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < std::min(size, kPeriod); ++i)
    bytes[i] =
        std::byte{static_cast<unsigned char>(static_cast<std::size_t>(131 * rank + 17 * call + 1) + i * 7)};
  for (std::size_t i = kPeriod; i < size; i += kPeriod)
    std::memcpy(bytes.data() + i, bytes.data(), std::min(kPeriod, size - i));
  return bytes;
}

inline void expect_text(std::span<const std::byte> received, int rank, int call) {
  const std::vector<std::byte> sent = text(rank, call, received.size());
  if (received.empty() || std::memcmp(received.data(), sent.data(), sent.size()) == 0) return;
  const auto place = std::ranges::mismatch(received, sent).in1 - received.begin();
  FAIL() << "call " << call << ", rank " << rank << ", byte " << place << " of " << sent.size();
}

/// One all-gather with its buffers and what must come of it.
class Gather {
 public:
  Gather(Collectives& world, int call, std::size_t size)
      : call_(call),
        mine_(text(world.rank(), call, size)),
        all_(size * static_cast<std::size_t>(world.size()), std::byte{0xEE}) {
    pending_ = world.start_all_gather(mine_, all_);
  }
  void wait() { pending_->wait(); }
  void drop() { pending_.reset(); }
  void check(const Collectives& world, Look look) const {
    for (int rank = 0; rank < world.size(); ++rank) {
      const std::size_t begin = static_cast<std::size_t>(rank) * mine_.size();
      expect_text(std::span(all_).subspan(begin, mine_.size()), look(world, rank), call_);
    }
  }

 private:
  int call_;
  std::vector<std::byte> mine_;
  std::vector<std::byte> all_;
  std::unique_ptr<Pending> pending_;  // gone before its buffers
};

/// One reduce-scatter, likewise. Call c adds c to every value.
class Scatter {
 public:
  Scatter(Collectives& world, int call, std::size_t size)
      : call_(call), all_(size * static_cast<std::size_t>(world.size())), mine_(size, -1) {
    for (std::size_t i = 0; i < all_.size(); ++i) all_[i] = addend(world.rank(), i) + call;
    pending_ = world.start_reduce_scatter(all_, mine_);
  }
  void wait() { pending_->wait(); }
  void drop() { pending_.reset(); }
  void check(const Collectives& world, Look look) const {
    const std::size_t begin = static_cast<std::size_t>(world.rank()) * mine_.size();
    for (std::size_t i = 0; i < mine_.size(); ++i) {
      const std::int64_t calls = std::int64_t{call_} * world.size();
      ASSERT_EQ(mine_[i], sum_of_addends(world, look, begin + i) + calls) << call_ << ' ' << i;
    }
  }

 private:
  int call_;
  std::vector<std::int64_t> all_;
  std::vector<std::int64_t> mine_;
  std::unique_ptr<Pending> pending_;
};

/// One all-to-all, likewise. Rank r's blocks have size + 3 r bytes; without `odd`, those of odd ranks none.
class AllToAll {
 public:
  AllToAll(Collectives& world, Look look, int call, std::size_t size, bool odd = true) : call_(call) {
    for (int rank = 0; rank < world.size(); ++rank) {
      const int as = look(world, rank);
      sizes_.push_back(!odd && as % 2 == 1 ? 0 : size + 3 * static_cast<std::size_t>(as));
    }
    const std::size_t own = sizes_[static_cast<std::size_t>(world.rank())];
    for (int to = 0; to < world.size(); ++to) {
      const std::vector<std::byte> block = text(world.rank(), call + 5 * to, own);
      blocks_.insert(blocks_.end(), block.begin(), block.end());
    }
    received_.assign(std::accumulate(sizes_.begin(), sizes_.end(), std::size_t{0}), std::byte{0xEE});
    pending_ = world.start_all_to_all(blocks_, received_, sizes_);
  }
  void wait() { pending_->wait(); }
  void drop() { pending_.reset(); }
  void check(const Collectives& world, Look look) const {
    std::size_t begin = 0;
    for (int rank = 0; rank < world.size(); ++rank) {
      const std::size_t size = sizes_[static_cast<std::size_t>(rank)];
      expect_text(std::span(received_).subspan(begin, size), look(world, rank), call_ + 5 * world.rank());
      begin += size;
    }
  }

 private:
  int call_;
  std::vector<std::size_t> sizes_;
  std::vector<std::byte> blocks_;
  std::vector<std::byte> received_;
  std::unique_ptr<Pending> pending_;
};

inline void started_ones_end_at_every_size(Collectives& world, Look look) {
  for (const std::size_t size : {0U, 1U, 3U, 1000U, 4097U, 300'000U}) {
    Gather gather(world, 1, size);
    gather.wait();
    gather.check(world, look);
    Scatter scatter(world, 2, size / 8);
    scatter.wait();
    scatter.check(world, look);
    for (const bool odd : {true, false}) {
      AllToAll blocks(world, look, 3, size, odd);
      blocks.wait();
      blocks.check(world, look);
    }
  }
}

inline void many_may_be_under_way_and_waited_for_in_any_order(Collectives& world, Look look) {
  std::vector<std::unique_ptr<Gather>> gathers;
  std::vector<std::unique_ptr<Scatter>> scatters;
  std::vector<std::unique_ptr<AllToAll>> blocks;
  for (int call = 0; call < 6; ++call) {
    gathers.push_back(std::make_unique<Gather>(world, call, static_cast<std::size_t>(call) * 1001));
    scatters.push_back(std::make_unique<Scatter>(world, call, static_cast<std::size_t>(6 - call) * 101));
    blocks.push_back(std::make_unique<AllToAll>(world, look, call, static_cast<std::size_t>(call) * 1003));
  }
  std::ranges::reverse(gathers);
  for (auto& gather : gathers) gather->wait();
  std::ranges::reverse(blocks);
  for (auto& block : blocks) block->wait();
  for (auto& scatter : scatters) scatter->wait();
  for (auto& gather : gathers) gather->check(world, look);
  for (auto& scatter : scatters) scatter->check(world, look);
  for (auto& block : blocks) block->check(world, look);
}

inline void started_ones_stand_between_blocking_ones(Collectives& world, Look look) {
  for (int step = 0; step < 5; ++step) {
    Gather gather(world, step, 2048);
    Scatter scatter(world, step, 300);
    AllToAll blocks(world, look, step, 700);
    all_reduce_sums(world, look);
    world.barrier();
    all_gather_keeps_order_and_sizes(world, look);
    scatter.wait();
    broadcast_gives_roots_bytes(world, look);
    gather.wait();
    gather.check(world, look);
    scatter.check(world, look);
    blocks.wait();
    blocks.check(world, look);
  }
}

inline void a_handle_that_goes_has_ended(Collectives& world, Look look) {
  Gather gather(world, 3, 5000);
  Scatter scatter(world, 4, 500);
  gather.drop();
  gather.check(world, look);
  scatter.drop();
  scatter.check(world, look);
  AllToAll blocks(world, look, 5, 3000);
  blocks.drop();
  blocks.check(world, look);
}

inline void waiting_twice_is_no_harm(Collectives& world, Look look) {
  Gather gather(world, 5, 10);
  gather.wait();
  gather.wait();
  gather.check(world, look);
}

inline void wrong_sizes_are_refused_before_anything_is_sent(Collectives& world, Look /*look*/) {
  const std::vector<std::byte> bytes(4);
  std::vector<std::byte> room(4 * static_cast<std::size_t>(world.size()) + 1);
  EXPECT_THROW((void)world.start_all_gather(bytes, room), Error);
  const std::vector<std::int64_t> all(3 * static_cast<std::size_t>(world.size()) + 1);
  std::vector<std::int64_t> mine(3);
  EXPECT_THROW((void)world.start_reduce_scatter(all, mine), Error);
  const std::vector<std::size_t> sizes(static_cast<std::size_t>(world.size()), 4);
  EXPECT_THROW((void)world.start_all_to_all(bytes, room, sizes), Error);
  world.barrier();
}

inline void run_all_cases(Collectives& world, Look look = itself) {
  for (const auto& test : blocking_cases()) test(world, look);
  for (const Case& test :
       std::vector<Case>{started_ones_end_at_every_size, many_may_be_under_way_and_waited_for_in_any_order,
                         started_ones_stand_between_blocking_ones, a_handle_that_goes_has_ended,
                         waiting_twice_is_no_harm, wrong_sizes_are_refused_before_anything_is_sent}) {
    test(world, look);
  }
}

}  // namespace polyhead::comm::conformance
