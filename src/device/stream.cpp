#include "polyhead/device/stream.hpp"

#include "cuda_check.hpp"

namespace polyhead::device {

void StreamTraits::close(type stream) noexcept {
  cudaStreamDestroy(stream);
}
void EventTraits::close(type event) noexcept {
  cudaEventDestroy(event);
}
void DeviceMemoryTraits::close(type memory) noexcept {
  cudaFree(memory);
}
void HostMemoryTraits::close(type memory) noexcept {
  cudaFreeHost(memory);
}

Stream make_stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  return Stream(stream);
}

Event make_event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  return Event(event);
}

void record(const Event& event, const Stream& stream) {
  check(cudaEventRecord(event.get(), stream.get()), "cudaEventRecord");
}

bool passed(const Event& event) {
  const cudaError_t result = cudaEventQuery(event.get());
  if (result != cudaErrorNotReady) check(result, "cudaEventQuery");
  return result == cudaSuccess;
}

void finish(const Stream& stream) {
  check(cudaStreamSynchronize(stream.get()), "cudaStreamSynchronize");
}

DeviceMemory allocate_device(std::size_t bytes) {
  void* memory = nullptr;
  check(cudaMalloc(&memory, bytes), fmt::format("cudaMalloc of {} bytes", bytes));
  return DeviceMemory(memory);
}

HostMemory allocate_host(std::size_t bytes) {
  void* memory = nullptr;
  check(cudaHostAlloc(&memory, bytes, cudaHostAllocDefault), fmt::format("cudaHostAlloc of {} bytes", bytes));
  return HostMemory(memory);
}

void copy_to_device(void* device, const void* host, std::size_t bytes, const Stream& stream) {
  check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream.get()),
        "cudaMemcpyAsync to the GPU");
}

void copy_to_host(void* host, const void* device, std::size_t bytes, const Stream& stream) {
  check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream.get()),
        "cudaMemcpyAsync from the GPU");
}

}  // namespace polyhead::device
