#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "polyhead/comm/collectives.hpp"
#include "polyhead/comm/device_broadcast.hpp"
#include "polyhead/comm/mpi.hpp"

namespace polyhead::comm {

/// Back end that carries the exchange inside a group of ranks.
enum class Backend { automatic, mpi, nccl };

/// "auto", "mpi", "nccl"
std::string_view name(Backend backend);

/// One rank's part in the choice of the back end.
struct Seat {
  int color = 0;      ///< its group; negative: in none
  std::string host;   ///< for messages
  std::string uuid;   ///< GPU's UUID, as `device::query` gives it; empty without one
  std::string why{};  ///< reason why it has no GPU or no NCCL; empty where it has both
};

struct BackendChoice {
  Backend backend = Backend::mpi;  ///< mpi or nccl
  std::string reason;              ///< "ranks 1 and 2 on b share the GPU GPU-..."
  bool fell_back = false;          ///< NCCL was tried, and cannot be set up
};

/// Chooses NCCL where every rank of a group has a GPU of its own, else MPI. `automatic` also takes MPI where
/// no group has two ranks. All groups get the same back end. A pure function of all ranks' seats, in rank
/// order, so that all ranks reach the same result. Throws Error(config) when NCCL is asked for and a rank has
/// no GPU, or its build no NCCL. Two ranks on one GPU, which NCCL refuses, fall back to MPI.
BackendChoice choose_backend(std::span<const Seat> seats, Backend wanted);

struct Group {
  std::unique_ptr<Collectives> collectives;  ///< none for a negative color
  BackendChoice choice;  ///< back end of the collectives, with the reason; the same on all ranks
  std::unique_ptr<DeviceBroadcast>
      to_gpus;  ///< broadcast from rank 0 to all ranks with a color; none: over MPI
  BackendChoice
      weights_choice;  ///< back end of the weights' broadcast, with the reason; the same on all ranks
  std::vector<std::string> gpus;  ///< UUID of the GPU of each rank of the world; empty without one
};

/// Makes the group of the ranks that give the same `color`, in their order, on the back end that fits. Where
/// that is NCCL, the result also has a broadcast of weights to the GPUs of all ranks with a color. Collective
/// over the world. `device` is this rank's GPU, if it computes on one. `automatic` also falls back to MPI
/// when NCCL cannot be set up. Throws the same Error on all ranks: that of `choose_backend` or
/// `device::query`, and Error(unavailable) when NCCL was asked for and cannot be set up.
Group make_group(MpiEnvironment& mpi, int color, Backend wanted, std::optional<int> device,
                 std::chrono::milliseconds timeout);

}  // namespace polyhead::comm
