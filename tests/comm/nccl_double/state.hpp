#pragma once

#include <atomic>
#include <cstddef>
#include <string>

#include "double.hpp"

/// What the parts of the double share.
namespace nccl_double {

/// Notes the breach; it is also what `ncclGetLastError` says from then on.
void breach(const std::string& text);
std::string last_breach();
/// Whether a test planted it; it is gone then.
bool take_fault(FaultKind kind, int rank, int call);

inline std::atomic<std::size_t> handles{0};

/// Whether `bytes` bytes from `address` on are memory of GPU `device`, or page-locked memory of the host for
/// -1.
bool is_device_memory(const void* address, std::size_t bytes, int device);

}  // namespace nccl_double
