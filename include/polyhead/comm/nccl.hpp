#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "polyhead/comm/collectives.hpp"

namespace polyhead::comm {

/// Why this build has no NCCL: "polyhead was built without NCCL". Empty where it has.
std::string why_no_nccl();

/// "2.30.7"; empty where the library is not built in or cannot be loaded.
std::string nccl_version();

/// Collectives over NVIDIA's NCCL between the ranks of `bootstrap`, each with a GPU of its own, `device`.
/// Collective; `bootstrap` carries the communicator's id and what the ranks agree on, and is not needed
/// afterwards.
///
/// The interface is one of host memory, so everything is copied through page-locked buffers to the GPU and
/// back, on a stream of its own that waits for no other. That costs little: a sample's features are 2 KB, and
/// 10,000 samples a second are 20 MB/s against 20 GB/s of PCIe.
///
/// Every wait looks at NCCL's state as well and ends after `timeout`. On a failure the communicator is
/// aborted, which ends what is under way on the GPU, and Error(unavailable) thrown, then and at each later
/// call. Throws AgreedError on all ranks when one of them cannot set it up: Error(config) for a wrong device
/// or a build without NCCL, Error(unavailable) otherwise.
std::unique_ptr<Collectives> make_nccl(Collectives& bootstrap, int device, std::chrono::milliseconds timeout);

}  // namespace polyhead::comm
