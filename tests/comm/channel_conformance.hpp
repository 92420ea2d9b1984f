#pragma once

#include <chrono>
#include <vector>

#include <gtest/gtest.h>

#include "polyhead/comm/channel.hpp"
#include "polyhead/comm/collectives.hpp"

/// What every implementation of `Channel` must do. Each function is run by every rank of a world at the same
/// time.
namespace polyhead::comm::conformance {

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
