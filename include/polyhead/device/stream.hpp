#pragma once

#include <cstddef>

#include "polyhead/base/unique_handle.hpp"

struct CUstream_st;
struct CUevent_st;

/// Streams, events and memory of the calling thread's current GPU (`select`). One CUDA call, one check: each
/// throws Error(unavailable) when it fails, Error(config) in a build without CUDA.
namespace polyhead::device {

struct StreamTraits {
  using type = CUstream_st*;
  static type invalid() { return nullptr; }
  static void close(type stream) noexcept;
};
/// Work for a GPU, done in order.
using Stream = UniqueHandle<StreamTraits>;
/// One that does not wait for the default stream, nor it for this one.
Stream make_stream();

struct EventTraits {
  using type = CUevent_st*;
  static type invalid() { return nullptr; }
  static void close(type event) noexcept;
};
/// A point in a stream.
using Event = UniqueHandle<EventTraits>;
Event make_event();
/// The event stands for all that the stream was given so far.
void record(const Event& event, const Stream& stream);
/// Whether the GPU has come past it. Never waits.
bool passed(const Event& event);
/// Returns when the GPU has done all that the stream was given. Without a limit: only for copies, which wait
/// for nobody.
void finish(const Stream& stream);

struct DeviceMemoryTraits {
  using type = void*;
  static type invalid() { return nullptr; }
  static void close(type memory) noexcept;
};
/// Memory of the GPU. Taking it and giving it back may wait for work under way.
using DeviceMemory = UniqueHandle<DeviceMemoryTraits>;
DeviceMemory allocate_device(std::size_t bytes);

struct HostMemoryTraits {
  using type = void*;
  static type invalid() { return nullptr; }
  static void close(type memory) noexcept;
};
/// Page-locked memory of the host: copies between it and the GPU run while the caller goes on.
using HostMemory = UniqueHandle<HostMemoryTraits>;
HostMemory allocate_host(std::size_t bytes);

/// Copies in the stream's order; both return at once when the host's side is page-locked.
void copy_to_device(void* device, const void* host, std::size_t bytes, const Stream& stream);
void copy_to_host(void* host, const void* device, std::size_t bytes, const Stream& stream);

}  // namespace polyhead::device
