#pragma once

#include <cstddef>

#include "polyhead/base/unique_handle.hpp"

struct CUstream_st;
struct CUevent_st;

/// Streams, events and memory of the calling thread's current GPU (`select`). One CUDA call, one check: each
/// function throws Error(unavailable) when it fails, Error(config) in a build without CUDA.
namespace polyhead::device {

struct StreamTraits {
  using type = CUstream_st*;
  static type invalid() { return nullptr; }
  static void close(type stream) noexcept;
};
/// Queue of work for a GPU, done in order.
using Stream = UniqueHandle<StreamTraits>;
/// Makes a stream that does not wait for the default stream, nor that for it.
Stream make_stream();

struct EventTraits {
  using type = CUevent_st*;
  static type invalid() { return nullptr; }
  static void close(type event) noexcept;
};
/// A point in a stream.
using Event = UniqueHandle<EventTraits>;
Event make_event();
/// Makes the event stand for all work that the stream was given so far.
void record(const Event& event, const Stream& stream);
/// Whether the GPU has passed the event. Never waits.
bool passed(const Event& event);
/// Returns when the GPU has done all work of the stream. It has no limit: only for copies, which wait for no
/// other rank.
void finish(const Stream& stream);

struct DeviceMemoryTraits {
  using type = void*;
  static type invalid() { return nullptr; }
  static void close(type memory) noexcept;
};
/// Memory of the GPU. Allocating and freeing may wait for work under way.
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
