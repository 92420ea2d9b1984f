#pragma once

#include <cstdlib>
#include <functional>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "double.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/comm/device_broadcast.hpp"
#include "polyhead/comm/local.hpp"
#include "polyhead/comm/nccl.hpp"

namespace polyhead::comm {

/// Ranks that are threads, each with a pretended GPU of its own, on the real NCCL code and the double.
class NcclRanks : public ::testing::Test {
 protected:
  static constexpr int kConnecting = 5;  ///< collectives of NCCL that `make_nccl` makes itself

  NcclRanks() {
    setenv("POLYHEAD_NCCL_DOUBLE_GPUS", "8", 1);
    nccl_double::reset();
  }

  void run(int ranks, const std::function<void(Collectives& nccl)>& body,
           std::chrono::milliseconds timeout = std::chrono::seconds(30)) {
    LocalWorld world(ranks, timeout + std::chrono::seconds(30));
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] {
        const auto bootstrap = world.collectives(rank);
        const auto nccl = make_nccl(*bootstrap, rank, timeout);
        body(*nccl);
      });
    }
  }

  /// The same with ranks that only broadcast; each has its GPU selected.
  void run_broadcast(int ranks, const std::function<void(int rank, DeviceBroadcast& to_gpus)>& body,
                     std::chrono::milliseconds timeout = std::chrono::seconds(30)) {
    LocalWorld world(ranks, timeout + std::chrono::seconds(30));
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < ranks; ++rank) {
      threads.emplace_back([&, rank] {
        const auto bootstrap = world.collectives(rank);
        const auto to_gpus = make_device_broadcast(*bootstrap, rank, timeout);
        body(rank, *to_gpus);
      });
    }
  }

  /// The names in the log of `rank`, in order.
  static std::vector<std::string> calls_of(int rank) {
    std::vector<std::string> names;
    for (const auto& entry : nccl_double::log()) {
      if (entry.rank == rank) names.push_back(entry.what);
    }
    return names;
  }

  static long count(int rank, const std::string& name) { return std::ranges::count(calls_of(rank), name); }
};

}  // namespace polyhead::comm
