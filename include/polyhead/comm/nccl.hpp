#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "polyhead/comm/collectives.hpp"

namespace polyhead::comm {

/// Reason why this build has no NCCL: "polyhead was built without NCCL". Empty where it has.
std::string why_no_nccl();

/// "2.30.7"; empty where the library is not built in or cannot be loaded.
std::string nccl_version();

/// Collectives over NVIDIA's NCCL between the ranks of `bootstrap`, each with a GPU of its own, `device`.
/// Collective; `bootstrap` carries the communicator's id and the ranks' agreement, and is not needed
/// afterwards.
///
/// The interface uses host memory: all data are copied through page-locked buffers to the GPU and back, on a
/// stream of its own that waits for no other. The cost is low: a sample's features are 2 KB, and 10,000
/// samples per second are 20 MB/s against 20 GB/s of PCIe.
///
/// Every wait also checks NCCL's state and ends after `timeout`. A failure aborts the communicator, which
/// ends the work under way on the GPU. That call and each later one then throw Error(unavailable). Throws
/// AgreedError on all ranks when one of them cannot set it up: Error(config) for a wrong device or a build
/// without NCCL, Error(unavailable) otherwise.
std::unique_ptr<Collectives> make_nccl(Collectives& bootstrap, int device, std::chrono::milliseconds timeout);

}  // namespace polyhead::comm
