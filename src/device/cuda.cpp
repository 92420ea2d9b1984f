#include "polyhead/device/cuda.hpp"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include "cuda_check.hpp"
#include "no_device.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/device/pinned.hpp"

namespace polyhead::device {
namespace {

struct Count {
  int devices = 0;
  cudaError_t result = cudaSuccess;
};

Count count_devices() {
  Count count;
  count.result = cudaGetDeviceCount(&count.devices);
  if (count.result != cudaSuccess) {
    count.devices = 0;
    cudaGetLastError();
  }
  return count;
}

void check_index(int index) {
  const int count = device_count();
  if (index >= 0 && index < count) return;
  if (count == 0) throw Error(ExitCode::config, fmt::format("no GPU can be used: {}", why_no_device()));
  throw Error(ExitCode::config,
              fmt::format("there is no GPU {}: this process may use {} of them", index, count));
}

int installed_driver() {
  int version = 0;
  check(cudaDriverGetVersion(&version), "cudaDriverGetVersion");
  return version;
}

int loaded_runtime() {
  int version = 0;
  check(cudaRuntimeGetVersion(&version), "cudaRuntimeGetVersion");
  return version;
}

std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

/// Folder that LibTorch was loaded from: its CUDA half lies beside libc10.
std::filesystem::path torch_folder() {
  std::filesystem::path folder;
  dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t /*size*/, void* result) {
        const std::filesystem::path path(object->dlpi_name);
        if (path.filename() != "libc10.so") return 0;
        *static_cast<std::filesystem::path*>(result) = path.parent_path();
        return 1;
      },
      &folder);
  return folder;
}

class PinnedMemory : public std::pmr::memory_resource {
 public:
  explicit PinnedMemory(int index) : index_(index) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t /*alignment*/) override {  // pages satisfy any alignment
    void* memory = nullptr;
    check(cudaSetDevice(index_), fmt::format("cudaSetDevice({})", index_));
    const cudaError_t result = cudaHostAlloc(&memory, bytes, cudaHostAllocDefault);
    if (result == cudaErrorMemoryAllocation) {  // host memory is short, since the GPU has its context
      cudaGetLastError();
      throw std::bad_alloc();
    }
    check(result, fmt::format("cudaHostAlloc of {} bytes for GPU {}", bytes, index_));
    return memory;
  }
  void do_deallocate(void* memory, std::size_t /*bytes*/, std::size_t /*alignment*/) override {
    cudaFreeHost(memory);
  }
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }

  int index_;
};

}  // namespace

std::pmr::memory_resource* pinned_memory(int index) {
  static std::mutex mutex;
  static std::map<int, PinnedMemory> pinned;
  static const bool kHasDevice = device_count() > 0;
  if (!kHasDevice) return ordinary_memory();
  const std::lock_guard lock(mutex);
  return &pinned.try_emplace(index, index).first->second;
}

int device_count() {
  return count_devices().devices;
}

std::string why_no_device() {
  const Count count = count_devices();
  if (count.devices > 0) return "";
  return describe({count.result, installed_driver(), loaded_runtime(), std::getenv("CUDA_VISIBLE_DEVICES")});
}

DeviceInfo query(int index) {
  check_index(index);
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
  return {properties.name,
          uuid_text(properties.uuid),
          fmt::format("{}.{}", properties.major, properties.minor),
          properties.totalGlobalMem,
          properties.multiProcessorCount,
          loaded_runtime()};
}

std::string driver_version() {
  return fmt::format("driver {}, runtime {}", version_text(installed_driver()),
                     version_text(loaded_runtime()));
}

void select(int index) {
  check_index(index);
  check(cudaSetDevice(index), "cudaSetDevice");
}

void load_torch_cuda() {
  check_index(0);
  const std::filesystem::path library = torch_folder() / "libtorch_cuda.so";
  // Never closed: LibTorch keeps pointers into it until the process ends.
  static void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (handle != nullptr) return;
  const char* why = dlerror();
  throw Error(ExitCode::unavailable, fmt::format("{} cannot be loaded: {}", library.string(),
                                                 why != nullptr ? why : "an earlier attempt failed"));
}

}  // namespace polyhead::device
