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

/// What carries the exchange inside a group of ranks.
enum class Backend { automatic, mpi, nccl };

/// "auto", "mpi", "nccl"
std::string_view name(Backend backend);

/// What one rank says of itself when the back end is chosen.
struct Seat {
  int color = 0;      ///< its group; negative: in none
  std::string host;   ///< for messages
  std::string uuid;   ///< of its GPU, as `device::query` gives it; empty without one
  std::string why{};  ///< it has no GPU or no NCCL; empty where it has both
};

struct BackendChoice {
  Backend backend = Backend::mpi;  ///< mpi or nccl
  std::string reason;              ///< "ranks 1 and 2 on b share the GPU GPU-..."
  bool fell_back = false;          ///< NCCL was tried, and cannot be set up
};

/// NCCL where every rank of a group has a GPU that no other rank has, else MPI. `automatic` also takes MPI
/// where no group has two ranks. The same for all groups. A pure function of what the ranks say, in rank
/// order: all of them come to the same answer. Throws Error(config) when NCCL is asked for and a rank has no
/// GPU, or its build no NCCL; two ranks on one GPU, which NCCL refuses, fall back to MPI.
BackendChoice choose_backend(std::span<const Seat> seats, Backend wanted);

struct Group {
  std::unique_ptr<Collectives> collectives;  ///< none for a negative color
  BackendChoice choice;                      ///< what carries it, and why; the same on all ranks
  std::unique_ptr<DeviceBroadcast> to_gpus;  ///< from rank 0 to all ranks with a color; none: over MPI
  BackendChoice weights_choice;              ///< what carries that, and why; the same on all ranks
  std::vector<std::string> gpus;             ///< UUID of the GPU of each rank of the world; empty without one
};

/// The ranks that give the same `color`, in their order, on the back end that fits; and a way for weights to
/// the GPUs of all of them, where that is NCCL. Collective over the world. `device` is this rank's GPU, if it
/// computes on one. `automatic` also falls back to MPI when NCCL cannot be set up. Throws the same Error on
/// all ranks: of `choose_backend`, of `device::query`, and Error(unavailable) when NCCL was asked for and
/// cannot be set up.
Group make_group(MpiEnvironment& mpi, int color, Backend wanted, std::optional<int> device,
                 std::chrono::milliseconds timeout);

}  // namespace polyhead::comm
