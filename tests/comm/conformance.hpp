#pragma once

#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "polyhead/base/error.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/comm/collectives.hpp"

/// What every implementation of `Collectives` must do, with exact oracles. Each function is run by every rank
/// of a world at the same time.
namespace polyhead::comm::conformance {

/// Which rank does rank i of this world look like? Itself, but in a dry run, where all look like the only
/// one.
using Look = int (*)(const Collectives& world, int rank);

inline int itself(const Collectives& /*world*/, int rank) {
  return rank;
}
inline int like_me(const Collectives& world, int /*rank*/) {
  return world.rank();
}

/// The sum over all ranks of what `value` says of each.
inline std::int64_t sum(const Collectives& world, Look look, const std::function<std::int64_t(int)>& value) {
  std::int64_t total = 0;
  for (int rank = 0; rank < world.size(); ++rank) total += value(look(world, rank));
  return total;
}

inline void broadcast_gives_roots_bytes(Collectives& world, Look look) {
  const auto text = [](int rank, int root) { return rank == root ? 7 * root + 1 : -1; };
  for (const std::size_t size : {1U, 1000U, 30'000U}) {
    for (int root = 0; root < world.size(); ++root) {
      std::vector<std::int32_t> values(size, text(world.rank(), root));
      world.broadcast(std::as_writable_bytes(std::span(values)), root);
      EXPECT_EQ(values, std::vector<std::int32_t>(size, text(look(world, root), root)));
    }
  }
  world.broadcast({}, 0);
}

inline void broadcast_any_gives_size_and_bytes(Collectives& world, Look look) {
  const auto text = [](int rank) {
    return std::vector<std::byte>(rank == 0 ? 12'345 : 3, std::byte{static_cast<unsigned char>(rank + 5)});
  };
  std::vector<std::byte> bytes = text(world.rank());
  broadcast_any(world, bytes);
  EXPECT_EQ(bytes, text(look(world, 0)));
}

/// What rank `rank` adds at place i: large, so that halves of it or another type would show.
inline std::int64_t addend(int rank, std::size_t i) {
  return (std::int64_t{rank} + 1) * (std::int64_t{1} << 40) - static_cast<std::int64_t>(i) * (rank + 3);
}

inline std::int64_t sum_of_addends(const Collectives& world, Look look, std::size_t i) {
  return sum(world, look, [&](int rank) { return addend(rank, i); });
}

inline void all_reduce_sums(Collectives& world, Look look) {
  for (const std::size_t size : {1U, 257U, 20'000U}) {
    std::vector<std::int64_t> values(size);
    for (std::size_t i = 0; i < size; ++i) values[i] = addend(world.rank(), i);
    world.all_reduce(values);
    for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(values[i], sum_of_addends(world, look, i)) << i;
  }
  world.all_reduce({});
}

inline void all_gather_keeps_order_and_sizes(Collectives& world, Look look) {
  // Rank r gives 7 r bytes: rank 0 gives none.
  const auto text = [](int rank) {
    return std::vector<std::byte>(7 * static_cast<std::size_t>(rank),
                                  std::byte{static_cast<unsigned char>(rank)});
  };
  const auto all = world.all_gather(text(world.rank()));
  ASSERT_EQ(all.size(), static_cast<std::size_t>(world.size()));
  for (int rank = 0; rank < world.size(); ++rank) {
    EXPECT_EQ(all[static_cast<std::size_t>(rank)], text(look(world, rank)));
  }
}

inline void agreement_is_silent_when_all_is_well(Collectives& world, Look /*look*/) {
  int calls = 0;
  agree(world, [&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

inline void agreement_throws_one_ranks_error_everywhere(Collectives& world, Look look) {
  const int culprit = world.size() - 1;
  const bool fails = look(world, culprit) == culprit;
  try {
    agree(world, [&] {
      if (world.rank() == culprit)
        throw Error(ExitCode::no_input, "no file on rank " + std::to_string(culprit));
    });
    EXPECT_FALSE(fails) << "agree did not throw";
  } catch (const AgreedError& error) {
    EXPECT_TRUE(fails);
    EXPECT_EQ(error.code(), ExitCode::no_input);
    EXPECT_EQ(error.what(), "no file on rank " + std::to_string(culprit));
  }
}

inline void agreement_takes_the_lowest_rank_and_foreign_exceptions(Collectives& world, Look look) {
  try {
    agree(world, [&] { throw std::runtime_error("rank " + std::to_string(world.rank())); });
    ADD_FAILURE() << "agree did not throw";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::internal);
    EXPECT_EQ(error.what(), "rank " + std::to_string(look(world, 0)));
  }
}

/// Who waited in vain knows less than who failed.
inline void agreement_prefers_a_reason_to_a_time_out(Collectives& world, Look look) {
  const int culprit = world.size() - 1;
  const bool is_known = look(world, culprit) == culprit;
  try {
    agree(world, [&] {
      if (world.rank() == culprit) throw Error(ExitCode::io_error, "the disk is gone");
      throw TimeoutError(ExitCode::unavailable, "other ranks did not join");
    });
    ADD_FAILURE() << "agree did not throw";
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), is_known ? ExitCode::io_error : ExitCode::unavailable);
    EXPECT_STREQ(error.what(), is_known ? "the disk is gone" : "other ranks did not join");
  }
}

using Case = std::function<void(Collectives&, Look)>;

inline std::vector<Case> blocking_cases() {
  return {broadcast_gives_roots_bytes,
          broadcast_any_gives_size_and_bytes,
          all_reduce_sums,
          all_gather_keeps_order_and_sizes,
          agreement_is_silent_when_all_is_well,
          agreement_throws_one_ranks_error_everywhere,
          agreement_prefers_a_reason_to_a_time_out,
          agreement_takes_the_lowest_rank_and_foreign_exceptions,
          [](Collectives& world, Look) { world.barrier(); }};
}

}  // namespace polyhead::comm::conformance
