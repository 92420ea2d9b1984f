#include "stream.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <vector>

#include "state.hpp"

using nccl_double::breach;

CUstream_st::CUstream_st(int gpu) : device(gpu), thread_([this] { run(); }) {}

CUstream_st::~CUstream_st() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void CUstream_st::push(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  queue_.push_back(std::move(work));
  changed_.notify_all();
}

void CUstream_st::wait_idle() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return queue_.empty() && !busy_; });
}

void CUstream_st::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ending_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const auto work = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
    lock.unlock();
    work();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

/// Recorded so many times, and come past so many of them.
struct CUevent_st {
  struct Counts {
    std::atomic<int> recorded{0};
    std::atomic<int> passed{0};
  };
  std::shared_ptr<Counts> counts = std::make_shared<Counts>();
};

namespace {

std::mutex all_mutex;
std::map<cudaStream_t, std::shared_ptr<CUstream_st>> all_streams;

bool refuse(const char* call, cudaStream_t stream) {
  if (stream == nullptr) {
    breach(std::string(call) + " on the default stream");
    return true;
  }
  if (stream->promised == 0) return false;
  breach(std::string(call) + " on a stream in which a NCCL call is still to come");
  return true;
}

}  // namespace

void nccl_double::wait_for_all_streams() {
  std::vector<std::shared_ptr<CUstream_st>> streams;
  {
    const std::lock_guard lock(all_mutex);  // not while waiting: other ranks may have to go on first
    for (const auto& [handle, stream] : all_streams) streams.push_back(stream);
  }
  for (const auto& stream : streams) {
    if (stream->device == current_device()) stream->wait_idle();
  }
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags) {
  if (flags != cudaStreamNonBlocking) breach("a stream that waits for the default stream");
  const auto made = std::make_shared<CUstream_st>(nccl_double::current_device());
  *stream = made.get();
  ++nccl_double::handles;
  const std::lock_guard lock(all_mutex);
  all_streams[*stream] = made;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  std::shared_ptr<CUstream_st> owner;  // ends behind the lock
  const std::lock_guard lock(all_mutex);
  const auto found = all_streams.find(stream);
  if (found == all_streams.end()) {
    breach("cudaStreamDestroy of what is no stream");
    return cudaErrorInvalidResourceHandle;
  }
  owner = std::move(found->second);
  all_streams.erase(found);
  --nccl_double::handles;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (refuse("cudaStreamSynchronize", stream)) return cudaErrorInvalidValue;
  stream->wait_idle();
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int /*flags*/) {
  *event = new CUevent_st;
  ++nccl_double::handles;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  --nccl_double::handles;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (refuse("cudaEventRecord", stream)) return cudaErrorInvalidValue;
  const auto counts = event->counts;
  ++counts->recorded;
  stream->push([counts] { ++counts->passed; });
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  return event->counts->passed == event->counts->recorded ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (refuse("cudaMemcpyAsync", stream)) return cudaErrorInvalidValue;
  const void* device = kind == cudaMemcpyHostToDevice ? to : from;
  const void* host = kind == cudaMemcpyHostToDevice ? from : to;
  if (!nccl_double::is_device_memory(device, bytes, stream->device)) {
    breach("cudaMemcpyAsync: the GPU's side is no memory of this GPU");
    return cudaErrorInvalidValue;
  }
  if (!nccl_double::is_device_memory(host, bytes, -1)) {
    breach("cudaMemcpyAsync: the host's side is not page-locked, so the copy would wait");
    return cudaErrorInvalidValue;
  }
  stream->push(
      [to, from, bytes] { std::copy_n(static_cast<const char*>(from), bytes, static_cast<char*>(to)); });
  return cudaSuccess;
}
