#include "no_cuda.hpp"
#include "polyhead/device/cuda.hpp"
#include "polyhead/device/pinned.hpp"

namespace polyhead::device {
int device_count() {
  return 0;
}
std::string why_no_device() {
  return kNoCuda;
}
DeviceInfo query(int /*index*/) {
  fail_without_cuda();
}
std::string driver_version() {
  return "none";
}
void select(int /*index*/) {
  fail_without_cuda();
}
std::pmr::memory_resource* pinned_memory(int /*index*/) {
  return ordinary_memory();
}
void load_torch_cuda() {
  fail_without_cuda();
}

}  // namespace polyhead::device
