#pragma once

#include <cstddef>
#include <string>
#include <vector>

/// A NCCL, and as much of CUDA as it takes, in host memory: tests run the real `comm/nccl.cpp` and `device`
/// on it, with ranks that are threads of one process or processes of one host. Chosen at link time; defines
/// the functions of nccl.h and cuda_runtime_api.h themselves.
///
/// It is as asynchronous as the real one: streams are threads that work in order, communicators never block,
/// and a call is in its stream only after `ncclCommGetAsyncError` has been asked for it. It is less
/// forgiving: what would hang, corrupt or slow down a GPU is an error at once, and noted as a breach.
///
/// POLYHEAD_NCCL_DOUBLE_GPUS is the number of GPUs that each process sees (0 when not set);
/// POLYHEAD_NCCL_DOUBLE_LOG a file that each process appends its log to, with its rank behind the name;
/// POLYHEAD_NCCL_DOUBLE_ERROR="RANK CALL" plants an async_error. POLYHEAD_NCCL_DOUBLE_CAPABILITY is the GPUs'
/// compute capability (75 for 7.5; 80 when not set), POLYHEAD_NCCL_DOUBLE_DRIVER the driver's CUDA version
/// (13020 for 13.2; the runtime's when not set). The number of a cudaError_t in
/// POLYHEAD_NCCL_DOUBLE_COUNT_ERROR,
/// ..._SELECT_ERROR or ..._HOST_ERROR is what cudaGetDeviceCount, cudaSetDevice or cudaHostAlloc answers.
namespace nccl_double {

/// One line of the log.
struct Entry {
  int rank = -1;          ///< in its communicator
  std::string what;       ///< "ncclAllGather"; "ncclAllGather done" when the stream has ended it
  std::size_t count = 0;  ///< of elements
  std::string type{};     ///< "int8", "int64"
  int group = 0;          ///< number of the group the call was made in, from 1; 0 for none
  const void* stream = nullptr;
};

/// What a test plants, once, in the collective number `call` (from 0) of rank `rank`.
enum class FaultKind { wrong_count, wrong_type, missing_group_end, never_arrives, async_error, call_fails };
struct Fault {
  FaultKind kind = FaultKind::async_error;
  int rank = 0;
  int call = 0;
};

/// Adds a line; tests note what they do in between.
void note(Entry entry);
/// Of this process, in the order in which it happened.
std::vector<Entry> log();
/// What was done that NCCL or CUDA would not forgive, in words.
std::vector<std::string> breaches();
void plant(const Fault& fault);
/// Forgets log, breaches and faults.
void reset();

/// Communicators, streams, events and memory that nobody has given back.
std::size_t handles_left();

}  // namespace nccl_double
