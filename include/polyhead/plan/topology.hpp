#pragma once

#include <algorithm>
#include <cstdint>

namespace polyhead::plan {

/// Cost of a message between two ranks.
struct Link {
  double bytes_per_second = 0;
  double latency = 0;  ///< seconds
};

/// Device that one rank computes with: a GPU, or its share of a node's cores.
struct Processor {
  bool gpu = false;
  double flops = 0;               ///< FLOP/s that the backbone reaches (not the peak)
  double head_flops = 0;          ///< FLOP/s that large linear layers reach
  double weights_per_second = 0;  ///< bytes/s at which the weights of small linear layers are read
  double step_seconds = 0;        ///< seconds to start one step of a head (a layer)
  double score_seconds = 0;       ///< seconds on the host to fuse one score of one head
  std::uint64_t memory = 0;       ///< bytes of a GPU; 0: the backbone lives in the host's memory
};

/// Source of a rank's images.
struct Reading {
  int workers = 1;               ///< threads that read and decode
  double images_per_second = 0;  ///< images per second of one thread, on a core of its own
  double cores = 1;              ///< cores of the threads: more threads than cores are no faster
  bool shares_cores = false;     ///< the threads take their time from the processor's

  /// Number of cores that read when nothing else is done. Threads that share the processor's cores may use
  /// all of them.
  [[nodiscard]] double threads() const {
    return shares_cores ? cores : std::min(static_cast<double>(workers), cores);
  }
};

/// Capacity of rank 0.
struct Keeping {
  double bytes_per_second = 0;         ///< for writing the result file
  double seconds_per_micro_batch = 0;  ///< to lease, receive and enter one micro-batch
};

/// Memory of a process before it has a model, in bytes.
struct ProcessMemory {
  std::uint64_t host = 0;
  std::uint64_t gpu = 0;  ///< context, kernels, workspaces
};

/// Machines of a job: equal ranks on equal nodes. (Leases balance ranks of unequal speed while the job runs.)
struct Topology {
  int ranks = 1;
  int ranks_per_node = 1;
  Processor processor;
  Reading reading;
  Keeping keeping;
  double contention = 1;  ///< factor by which simultaneous reading and computing take longer
  ProcessMemory process;
  std::uint64_t host_memory = 0;  ///< bytes per node, for all its ranks
  Link inside;                    ///< between ranks of one node
  Link between;                   ///< between nodes
  double startup_seconds = 0;     ///< time of a process until ranks know their first micro-batches
  double equip_seconds = 0;       ///< time from then on until it can compute, without the transfer of weights

  [[nodiscard]] int nodes() const { return (ranks + ranks_per_node - 1) / ranks_per_node; }
  /// Number of ranks that share a node's memory.
  [[nodiscard]] int neighbours() const { return std::min(ranks, ranks_per_node); }
};

}  // namespace polyhead::plan
