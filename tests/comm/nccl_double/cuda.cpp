/// GPUs that are not there, and their memory.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <new>

#include <unistd.h>

#include "state.hpp"
#include "stream.hpp"

namespace {

constexpr int kHost = -1;
constexpr std::align_val_t kAlignment{256};

struct Block {
  std::size_t bytes = 0;
  int device = kHost;
};

std::mutex mutex;
std::map<std::uintptr_t, Block> blocks;
thread_local int device_of_thread = 0;

/// What a test says in the environment.
int number(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : otherwise;
}

cudaError_t planted(const char* name) {
  return static_cast<cudaError_t>(number(name, cudaSuccess));
}

int gpus() {
  return number("POLYHEAD_NCCL_DOUBLE_GPUS", 0);
}

cudaError_t allocate(void** memory, std::size_t bytes, int device) {
  *memory = ::operator new(bytes, kAlignment);
  std::memset(*memory, 0xCD, bytes);  // nobody may count on zeros
  const std::lock_guard lock(mutex);
  blocks[reinterpret_cast<std::uintptr_t>(*memory)] = {bytes, device};
  ++nccl_double::handles;
  return cudaSuccess;
}

cudaError_t release(void* memory, bool host) {
  if (memory == nullptr) return cudaSuccess;
  nccl_double::wait_for_all_streams();
  const std::lock_guard lock(mutex);
  const auto found = blocks.find(reinterpret_cast<std::uintptr_t>(memory));
  if (found == blocks.end() || (found->second.device == kHost) != host) {
    nccl_double::breach("memory given back that was not taken, or to the wrong side");
    return cudaErrorInvalidValue;
  }
  blocks.erase(found);
  ::operator delete(memory, kAlignment);
  --nccl_double::handles;
  return cudaSuccess;
}

}  // namespace

bool nccl_double::is_device_memory(const void* address, std::size_t bytes, int device) {
  const auto begin = reinterpret_cast<std::uintptr_t>(address);
  const std::lock_guard lock(mutex);
  auto after = blocks.upper_bound(begin);
  if (after == blocks.begin()) return false;
  const auto& [start, block] = *--after;
  return block.device == device && begin + bytes <= start + block.bytes;
}

int nccl_double::current_device() {
  return device_of_thread;
}

cudaError_t cudaGetDeviceCount(int* count) {
  *count = gpus();
  if (const cudaError_t error = planted("POLYHEAD_NCCL_DOUBLE_COUNT_ERROR"); error != cudaSuccess)
    return error;
  return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= gpus()) return cudaErrorInvalidDevice;
  if (const cudaError_t error = planted("POLYHEAD_NCCL_DOUBLE_SELECT_ERROR"); error != cudaSuccess)
    return error;
  device_of_thread = device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  *properties = {};
  std::strcpy(properties->name, "a GPU in host memory");
  properties->totalGlobalMem = std::size_t{16} << 30U;
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  const std::size_t hash = std::hash<std::string>()(std::string(host.data()) + std::to_string(device));
  std::memcpy(properties->uuid.bytes, &hash, sizeof(hash));
  const int capability = number("POLYHEAD_NCCL_DOUBLE_CAPABILITY", 80);
  properties->major = capability / 10;
  properties->minor = capability % 10;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = number("POLYHEAD_NCCL_DOUBLE_DRIVER", CUDART_VERSION);
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() {
  return cudaSuccess;
}

const char* cudaGetErrorString(cudaError_t error) {
  static thread_local std::string text;
  text = "CUDA error " + std::to_string(static_cast<int>(error)) + " (" + nccl_double::last_breach() + ")";
  return text.c_str();
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  nccl_double::wait_for_all_streams();  // the real one may
  return allocate(memory, bytes, device_of_thread);
}

cudaError_t cudaFree(void* memory) {
  return release(memory, false);
}

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned int /*flags*/) {
  if (const cudaError_t error = planted("POLYHEAD_NCCL_DOUBLE_HOST_ERROR"); error != cudaSuccess)
    return error;
  return allocate(memory, bytes, kHost);
}

cudaError_t cudaFreeHost(void* memory) {
  return release(memory, true);
}
