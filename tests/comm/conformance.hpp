#pragma once

#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "polyhead/base/error.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/comm/channel.hpp"
#include "polyhead/comm/collectives.hpp"

/// What every implementation of `Collectives` and `Channel` must do, with exact oracles. Each function is run
/// by every rank of a world at the same time.
namespace polyhead::comm::conformance {

inline void broadcast_gives_roots_bytes(Collectives& world) {
  for (int root = 0; root < world.size(); ++root) {
    std::vector<std::int32_t> values(1000, world.rank() == root ? 7 * root + 1 : -1);
    world.broadcast(std::as_writable_bytes(std::span(values)), root);
    EXPECT_EQ(values, std::vector<std::int32_t>(1000, 7 * root + 1));
  }
  world.broadcast({}, 0);
}

inline void broadcast_any_gives_size_and_bytes(Collectives& world) {
  std::vector<std::byte> bytes(world.rank() == 0 ? 12'345 : 3,
                               std::byte{static_cast<unsigned char>(world.rank() + 5)});
  broadcast_any(world, bytes);
  EXPECT_EQ(bytes, std::vector<std::byte>(12'345, std::byte{5}));
}

inline void all_reduce_sums(Collectives& world) {
  // The sum over ranks of (rank + 1) * 2^40 + i, known in closed form.
  const std::int64_t ranks = world.size();
  std::vector<std::int64_t> values(257);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = (std::int64_t{world.rank()} + 1) * (std::int64_t{1} << 40) + static_cast<std::int64_t>(i);
  }
  world.all_reduce(values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(values[i],
              ranks * (ranks + 1) / 2 * (std::int64_t{1} << 40) + ranks * static_cast<std::int64_t>(i));
  }
  world.all_reduce({});
}

inline void all_gather_keeps_order_and_sizes(Collectives& world) {
  // Rank r gives r bytes: rank 0 gives none.
  const std::vector<std::byte> mine(static_cast<std::size_t>(world.rank()),
                                    std::byte{static_cast<unsigned char>(world.rank())});
  const auto all = world.all_gather(mine);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(world.size()));
  for (std::size_t r = 0; r < all.size(); ++r) {
    EXPECT_EQ(all[r], std::vector<std::byte>(r, std::byte{static_cast<unsigned char>(r)}));
  }
}

inline void agreement_is_silent_when_all_is_well(Collectives& world) {
  int calls = 0;
  agree(world, [&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

inline void agreement_throws_one_ranks_error_everywhere(Collectives& world) {
  const int culprit = world.size() - 1;
  try {
    agree(world, [&] {
      if (world.rank() == culprit)
        throw Error(ExitCode::no_input, "no file on rank " + std::to_string(culprit));
    });
    ADD_FAILURE() << "agree did not throw";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::no_input);
    EXPECT_EQ(error.what(), "no file on rank " + std::to_string(culprit));
  }
}

inline void agreement_takes_the_lowest_rank_and_foreign_exceptions(Collectives& world) {
  try {
    agree(world, [&] { throw std::runtime_error("rank " + std::to_string(world.rank())); });
    ADD_FAILURE() << "agree did not throw";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::internal);
    EXPECT_STREQ(error.what(), "rank 0");
  }
}

inline std::vector<std::function<void(Collectives&)>> collective_cases() {
  return {broadcast_gives_roots_bytes,
          broadcast_any_gives_size_and_bytes,
          all_reduce_sums,
          all_gather_keeps_order_and_sizes,
          agreement_is_silent_when_all_is_well,
          agreement_throws_one_ranks_error_everywhere,
          agreement_takes_the_lowest_rank_and_foreign_exceptions,
          [](Collectives& world) { world.barrier(); }};
}

/// Every rank sends numbered messages of growing size to rank 0 (itself included), which checks order,
/// sender, tag and bytes and answers each.
inline void channel_keeps_order_per_sender(Collectives& world, Channel& up, Channel& down) {
  constexpr int kMessages = 50;
  using namespace std::chrono_literals;
  for (int i = 0; i < kMessages; ++i) {
    up.send(
        0, 100 + i,
        std::vector<std::byte>(static_cast<std::size_t>(i) * 3, std::byte{static_cast<unsigned char>(i)}));
  }
  if (world.rank() == 0) {
    std::vector<int> next(static_cast<std::size_t>(world.size()));
    for (int received = 0; received < kMessages * world.size(); ++received) {
      const auto message = up.receive(20s);
      ASSERT_TRUE(message);
      int& number = next.at(static_cast<std::size_t>(message->source));
      EXPECT_EQ(message->tag, 100 + number);
      EXPECT_EQ(message->bytes, std::vector<std::byte>(static_cast<std::size_t>(number) * 3,
                                                       std::byte{static_cast<unsigned char>(number)}));
      ++number;
    }
    for (int rank = 0; rank < world.size(); ++rank) down.send(rank, 7, {});
  }
  const auto answer = down.receive(20s);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->source, 0);
  EXPECT_EQ(answer->tag, 7);
  EXPECT_TRUE(answer->bytes.empty());
  EXPECT_FALSE(down.poll());
  world.barrier();
}

inline void channel_waits_no_longer_than_told(Channel& channel) {
  EXPECT_FALSE(channel.receive(std::chrono::milliseconds(20)));
}

}  // namespace polyhead::comm::conformance
