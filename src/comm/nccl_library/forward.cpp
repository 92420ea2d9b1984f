/// NCCL's functions, as `nccl.cpp` and `nccl_link.cpp` call them, forwarded to libnccl.so.2. The library is
/// opened at the first call: a machine without GPUs needs no NCCL and does not load its 200 MB. Definitions
/// that the linker finds before this file (tests/comm/nccl_double) take its place.

#include <string>

#include <dlfcn.h>
#include <nccl.h>

namespace {

struct Library {
  void* handle = dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL);  // never closed: NCCL has threads
  std::string why;

  Library() {
    if (handle == nullptr) why = text_of(dlerror());
  }
  static std::string text_of(const char* text) { return text != nullptr ? text : "no reason is known"; }
};

const Library& library() {
  static const Library library;
  return library;
}

template <class Function>
Function* find(const char* name) {
  const Library& nccl = library();
  return nccl.handle == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(nccl.handle, name));
}

}  // namespace

extern "C" {

ncclResult_t ncclGetVersion(int* version) {
  static auto* const call = find<decltype(ncclGetVersion)>("ncclGetVersion");
  return call != nullptr ? call(version) : ncclSystemError;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  static auto* const call = find<decltype(ncclGetUniqueId)>("ncclGetUniqueId");
  return call != nullptr ? call(id) : ncclSystemError;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int nranks, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  static auto* const call = find<decltype(ncclCommInitRankConfig)>("ncclCommInitRankConfig");
  return call != nullptr ? call(comm, nranks, id, rank, config) : ncclSystemError;
}

ncclResult_t ncclCommSplit(ncclComm_t comm, int color, int key, ncclComm_t* part, ncclConfig_t* config) {
  static auto* const call = find<decltype(ncclCommSplit)>("ncclCommSplit");
  return call != nullptr ? call(comm, color, key, part, config) : ncclSystemError;
}

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  static auto* const call = find<decltype(ncclCommFinalize)>("ncclCommFinalize");
  return call != nullptr ? call(comm) : ncclSystemError;
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  static auto* const call = find<decltype(ncclCommDestroy)>("ncclCommDestroy");
  return call != nullptr ? call(comm) : ncclSystemError;
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  static auto* const call = find<decltype(ncclCommAbort)>("ncclCommAbort");
  return call != nullptr ? call(comm) : ncclSystemError;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* error) {
  static auto* const call = find<decltype(ncclCommGetAsyncError)>("ncclCommGetAsyncError");
  return call != nullptr ? call(comm, error) : ncclSystemError;
}

const char* ncclGetErrorString(ncclResult_t result) {
  static auto* const call = find<decltype(ncclGetErrorString)>("ncclGetErrorString");
  return call != nullptr ? call(result) : "NCCL's library cannot be used";
}

const char* ncclGetLastError(ncclComm_t comm) {
  static auto* const call = find<decltype(ncclGetLastError)>("ncclGetLastError");
  return call != nullptr ? call(comm) : library().why.c_str();
}

ncclResult_t ncclGroupStart() {
  static auto* const call = find<decltype(ncclGroupStart)>("ncclGroupStart");
  return call != nullptr ? call() : ncclSystemError;
}

ncclResult_t ncclGroupEnd() {
  static auto* const call = find<decltype(ncclGroupEnd)>("ncclGroupEnd");
  return call != nullptr ? call() : ncclSystemError;
}

ncclResult_t ncclBroadcast(const void* from, void* to, size_t count, ncclDataType_t type, int root,
                           ncclComm_t comm, cudaStream_t stream) {
  static auto* const call = find<decltype(ncclBroadcast)>("ncclBroadcast");
  return call != nullptr ? call(from, to, count, type, root, comm, stream) : ncclSystemError;
}

ncclResult_t ncclAllReduce(const void* from, void* to, size_t count, ncclDataType_t type, ncclRedOp_t op,
                           ncclComm_t comm, cudaStream_t stream) {
  static auto* const call = find<decltype(ncclAllReduce)>("ncclAllReduce");
  return call != nullptr ? call(from, to, count, type, op, comm, stream) : ncclSystemError;
}

ncclResult_t ncclReduceScatter(const void* from, void* to, size_t count, ncclDataType_t type, ncclRedOp_t op,
                               ncclComm_t comm, cudaStream_t stream) {
  static auto* const call = find<decltype(ncclReduceScatter)>("ncclReduceScatter");
  return call != nullptr ? call(from, to, count, type, op, comm, stream) : ncclSystemError;
}

ncclResult_t ncclAllGather(const void* from, void* to, size_t count, ncclDataType_t type, ncclComm_t comm,
                           cudaStream_t stream) {
  static auto* const call = find<decltype(ncclAllGather)>("ncclAllGather");
  return call != nullptr ? call(from, to, count, type, comm, stream) : ncclSystemError;
}

ncclResult_t ncclSend(const void* from, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  static auto* const call = find<decltype(ncclSend)>("ncclSend");
  return call != nullptr ? call(from, count, type, peer, comm, stream) : ncclSystemError;
}

ncclResult_t ncclRecv(void* to, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  static auto* const call = find<decltype(ncclRecv)>("ncclRecv");
  return call != nullptr ? call(to, count, type, peer, comm, stream) : ncclSystemError;
}

}  // extern "C"
