/// NCCL's functions. What they check is what the real ones would not forgive.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include <unistd.h>

#include "communicator.hpp"
#include "state.hpp"
#include "stream.hpp"

using namespace nccl_double;

namespace {

std::mutex mutex;
std::map<ncclComm_t, std::shared_ptr<ncclComm>> communicators;

/// The group that this thread has open.
struct ThreadGroup {
  int depth = 0;
  int number = 0;
  std::vector<std::pair<ncclComm_t, Operation>> operations;
};
thread_local ThreadGroup group;
std::atomic<int> groups{0};

std::shared_ptr<ncclComm> find(ncclComm_t comm, const char* call) {
  const std::lock_guard lock(mutex);
  const auto found = communicators.find(comm);
  if (found != communicators.end()) return found->second;
  breach(std::string(call) + " on a communicator that is destroyed or aborted");
  return nullptr;
}

ncclResult_t close(ncclComm_t comm, const char* call) {
  const auto owner = find(comm, call);
  if (owner == nullptr) return ncclInvalidArgument;
  note({owner->rank, call});
  owner->abort();
  const std::lock_guard lock(mutex);
  communicators.erase(comm);
  --handles;
  return ncclSuccess;
}

ncclResult_t refuse(const std::string& text) {
  breach(text);
  return ncclInvalidArgument;
}

/// Whether the buffers lie on the communicator's GPU, whole.
bool buffers_fit(const ncclComm& comm, const Operation& operation) {
  const std::size_t block = operation.count * operation.width;
  const std::size_t all = block * static_cast<std::size_t>(comm.size);
  const bool scatters = operation.signature.kind == Kind::reduce_scatter;
  const bool gathers = operation.signature.kind == Kind::all_gather;
  return is_device_memory(operation.from, scatters ? all : block, comm.device) &&
         is_device_memory(operation.to, gathers ? all : block, comm.device);
}

void plant_in(Operation& operation, int rank) {
  if (take_fault(FaultKind::wrong_count, rank, operation.number)) ++operation.signature.count;
  if (take_fault(FaultKind::wrong_type, rank, operation.number)) operation.signature.type = ncclFloat32;
}

ncclResult_t call(ncclComm_t handle, const Signature& signature, const void* from, void* to,
                  cudaStream_t stream) {
  const auto comm = find(handle, name_of(signature.kind));
  if (comm == nullptr) return ncclInvalidArgument;
  const auto type = static_cast<ncclDataType_t>(signature.type);
  Operation operation{signature,
                      static_cast<const std::byte*>(from),
                      static_cast<std::byte*>(to),
                      static_cast<std::size_t>(signature.count),
                      width_of(type),
                      stream,
                      comm->calls++};
  const std::string what = name_of(signature.kind);
  note({comm->rank, what, operation.count, name_of(type), group.depth > 0 ? group.number : 0, stream});
  if (comm->finalized()) return refuse(what + " after ncclCommFinalize");
  if (!comm->settled()) return refuse(what + " while an earlier call is in progress");
  if (stream == nullptr || stream->device != comm->device) return refuse(what + " on another GPU's stream");
  if (!buffers_fit(*comm, operation))
    return refuse(what + ": a buffer is no memory of this GPU, or too small");
  if (signature.op != ncclSum) return refuse(what + ": only sums are known here");
  if (take_fault(FaultKind::call_fails, comm->rank, operation.number)) return ncclSystemError;
  plant_in(operation, comm->rank);
  ++stream->promised;
  if (group.depth == 0) {
    comm->promise({operation});
    return ncclInProgress;
  }
  group.operations.emplace_back(handle, operation);
  return ncclSuccess;
}

/// A send or a receive waits for the end of its group, where it becomes part of one operation.
ncclResult_t post(ncclComm_t handle, Kind kind, std::byte* bytes, std::size_t count, ncclDataType_t type,
                  int peer, cudaStream_t stream) {
  const std::string what = name_of(kind);
  const auto comm = find(handle, what.c_str());
  if (comm == nullptr) return ncclInvalidArgument;
  note({comm->rank, what, count, name_of(type), group.depth > 0 ? group.number : 0, stream});
  if (comm->finalized()) return refuse(what + " after ncclCommFinalize");
  if (!comm->settled()) return refuse(what + " while an earlier call is in progress");
  if (group.depth == 0) return refuse(what + " outside of a group: ranks that send to each other would wait");
  if (stream == nullptr || stream->device != comm->device) return refuse(what + " on another GPU's stream");
  if (peer < 0 || peer >= comm->size) return refuse(what + ": there is no such rank");
  if (!is_device_memory(bytes, count * width_of(type), comm->device))
    return refuse(what + ": a buffer is no memory of this GPU, or too small");
  const auto mine = std::ranges::find_if(group.operations, [&](const auto& other) {
    return other.first == handle && other.second.signature.kind == Kind::send;
  });
  const bool first = mine == group.operations.end();
  Operation& operation = first ? group.operations.emplace_back(handle, Operation{}).second : mine->second;
  if (first) {
    operation.signature = {Kind::send, type, ncclSum, 0, 0};
    operation.stream = stream;
    operation.number = comm->calls++;
    plant_in(operation, comm->rank);
    ++stream->promised;
  }
  (kind == Kind::send ? operation.sends : operation.receives)
      .push_back({peer, bytes, count * width_of(type)});
  return ncclSuccess;
}

std::string gpu_of(int device) {
  cudaDeviceProp properties{};
  cudaGetDeviceProperties(&properties, device);
  std::string text;
  for (const char byte : properties.uuid.bytes)
    text += std::to_string(static_cast<unsigned char>(byte)) + '.';
  return text.substr(0, 60);
}

}  // namespace

ncclComm_t nccl_double::adopt(std::shared_ptr<ncclComm> communicator) {
  const ncclComm_t handle = communicator.get();
  const std::lock_guard lock(mutex);
  communicators[handle] = std::move(communicator);
  ++handles;
  return handle;
}

ncclResult_t ncclGetVersion(int* version) {
  *version = NCCL_VERSION_CODE;
  return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  static std::atomic<int> count{0};
  *id = {};
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  std::snprintf(id->internal, sizeof(id->internal), "/polyhead-nccl-double-%d-%d-%lld", getpid(), ++count,
                static_cast<long long>(now));
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int nranks, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  if (config->blocking != 0) return refuse("a communicator that blocks has no time limit");
  const int device = current_device();
  *comm = adopt(std::make_shared<ncclComm>(id.internal, nranks, rank, gpu_of(device), device));
  note({rank, "ncclCommInitRankConfig"});
  return ncclInProgress;
}

ncclResult_t ncclCommSplit(ncclComm_t comm, int color, int key, ncclComm_t* part, ncclConfig_t* config) {
  const auto owner = find(comm, "ncclCommSplit");
  if (owner == nullptr) return ncclInvalidArgument;
  note({owner->rank, "ncclCommSplit"});
  if (config->blocking != 0) return refuse("a communicator that blocks has no time limit");
  if (owner->finalized()) return refuse("ncclCommSplit after ncclCommFinalize");
  if (!owner->settled() || !owner->idle())
    return refuse("ncclCommSplit while an earlier call is in progress");
  if (current_device() != owner->device) return refuse("ncclCommSplit while another GPU is selected");
  const int number = owner->calls++;
  if (take_fault(FaultKind::call_fails, owner->rank, number)) return ncclSystemError;
  owner->split(color, key, number, part);
  return ncclInProgress;
}

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  const auto owner = find(comm, "ncclCommFinalize");
  if (owner == nullptr) return ncclInvalidArgument;
  note({owner->rank, "ncclCommFinalize"});
  owner->finalize();
  return ncclInProgress;
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  const auto owner = find(comm, "ncclCommDestroy");
  if (owner != nullptr && !(owner->finalized() && owner->state() == ncclSuccess))
    return refuse("ncclCommDestroy before ncclCommFinalize has ended: it could wait for ever");
  return close(comm, "ncclCommDestroy");
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  for (const auto& [owner, operation] : group.operations) --operation.stream->promised;
  group = {};
  return close(comm, "ncclCommAbort");
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* error) {
  const auto owner = find(comm, "ncclCommGetAsyncError");
  if (owner == nullptr) return ncclInvalidArgument;
  *error = owner->state();
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t result) {
  static constexpr std::array kTexts{"no error",
                                     "unhandled cuda error",
                                     "unhandled system error",
                                     "internal error",
                                     "invalid argument",
                                     "invalid usage",
                                     "remote process exited or there was a network error",
                                     "NCCL operation in progress"};
  return kTexts.at(static_cast<std::size_t>(result));
}

const char* ncclGetLastError(ncclComm_t /*comm*/) {
  static thread_local std::string text;
  text = last_breach();
  return text.c_str();
}

ncclResult_t ncclGroupStart() {
  if (group.depth++ == 0) group.number = ++groups;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
  if (group.depth == 0) {
    breach("ncclGroupEnd without ncclGroupStart");
    return ncclInvalidUsage;
  }
  if (!group.operations.empty()) {
    const auto& [owner, last] = group.operations.back();
    if (take_fault(FaultKind::missing_group_end, owner->rank, last.number)) return ncclSuccess;
  }
  if (--group.depth > 0) return ncclSuccess;
  std::map<ncclComm_t, std::vector<Operation>> by_communicator;
  for (auto& [comm, operation] : std::exchange(group.operations, {}))
    by_communicator[comm].push_back(operation);
  for (auto& [comm, operations] : by_communicator) comm->promise(std::move(operations));
  return by_communicator.empty() ? ncclSuccess : ncclInProgress;
}

ncclResult_t ncclBroadcast(const void* from, void* to, size_t count, ncclDataType_t type, int root,
                           ncclComm_t comm, cudaStream_t stream) {
  return call(comm, {Kind::broadcast, type, ncclSum, root, static_cast<std::int64_t>(count)}, from, to,
              stream);
}

ncclResult_t ncclAllReduce(const void* from, void* to, size_t count, ncclDataType_t type, ncclRedOp_t op,
                           ncclComm_t comm, cudaStream_t stream) {
  if (type != ncclInt64) return refuse("ncclAllReduce: only int64 gives the same bits in any order");
  return call(comm, {Kind::all_reduce, type, op, 0, static_cast<std::int64_t>(count)}, from, to, stream);
}

ncclResult_t ncclReduceScatter(const void* from, void* to, size_t count, ncclDataType_t type, ncclRedOp_t op,
                               ncclComm_t comm, cudaStream_t stream) {
  if (type != ncclInt64) return refuse("ncclReduceScatter: only int64 gives the same bits in any order");
  return call(comm, {Kind::reduce_scatter, type, op, 0, static_cast<std::int64_t>(count)}, from, to, stream);
}

ncclResult_t ncclAllGather(const void* from, void* to, size_t count, ncclDataType_t type, ncclComm_t comm,
                           cudaStream_t stream) {
  return call(comm, {Kind::all_gather, type, ncclSum, 0, static_cast<std::int64_t>(count)}, from, to, stream);
}

ncclResult_t ncclSend(const void* from, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return post(comm, Kind::send, const_cast<std::byte*>(static_cast<const std::byte*>(from)), count, type,
              peer, stream);
}

ncclResult_t ncclRecv(void* to, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return post(comm, Kind::receive, static_cast<std::byte*>(to), count, type, peer, stream);
}
