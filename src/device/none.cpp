#include "aligned_memory.hpp"
#include "polyhead/base/error.hpp"
#include "polyhead/device/cuda.hpp"
#include "polyhead/device/pinned.hpp"

namespace polyhead::device {
namespace {

constexpr const char* kWhy = "polyhead was built without CUDA";

[[noreturn]] void fail() {
  throw Error(ExitCode::config, std::string("no GPU can be used: ") + kWhy);
}

}  // namespace

int device_count() {
  return 0;
}
std::string why_no_device() {
  return kWhy;
}
DeviceInfo query(int /*index*/) {
  fail();
}
std::string driver_version() {
  return "none";
}
void select(int /*index*/) {
  fail();
}
std::pmr::memory_resource* pinned_memory() {
  static AlignedMemory memory;
  return &memory;
}
void load_torch_cuda() {
  fail();
}

}  // namespace polyhead::device
