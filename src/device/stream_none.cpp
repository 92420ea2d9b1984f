#include "no_cuda.hpp"
#include "polyhead/device/stream.hpp"

namespace polyhead::device {

void StreamTraits::close(type /*stream*/) noexcept {}
void EventTraits::close(type /*event*/) noexcept {}
void DeviceMemoryTraits::close(type /*memory*/) noexcept {}
void HostMemoryTraits::close(type /*memory*/) noexcept {}

Stream make_stream() {
  fail_without_cuda();
}
Event make_event() {
  fail_without_cuda();
}
void record(const Event& /*event*/, const Stream& /*stream*/) {
  fail_without_cuda();
}
bool passed(const Event& /*event*/) {
  fail_without_cuda();
}
void finish(const Stream& /*stream*/) {
  fail_without_cuda();
}
DeviceMemory allocate_device(std::size_t /*bytes*/) {
  fail_without_cuda();
}
HostMemory allocate_host(std::size_t /*bytes*/) {
  fail_without_cuda();
}
void copy_to_device(void* /*device*/, const void* /*host*/, std::size_t /*bytes*/, const Stream& /*stream*/) {
  fail_without_cuda();
}
void copy_to_host(void* /*host*/, const void* /*device*/, std::size_t /*bytes*/, const Stream& /*stream*/) {
  fail_without_cuda();
}

}  // namespace polyhead::device
