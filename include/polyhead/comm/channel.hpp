#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace polyhead::comm {

/// One message as it arrived.
struct Message {
  int source = 0;
  int tag = 0;
  std::vector<std::byte> bytes;
};

/// Messages from rank to rank, in order between each pair. Any thread may send; one thread receives. Nothing
/// here spins: a waiting thread sleeps, since it shares its core with the computation.
class Channel {
 public:
  virtual ~Channel() = default;
  /// Returns when `bytes` may be reused. Throws Error(unavailable) when the receiver does not take it in
  /// time.
  virtual void send(int destination, int tag, std::span<const std::byte> bytes) = 0;
  /// Next message, if one has arrived.
  virtual std::optional<Message> poll() = 0;

  /// Waits up to `limit` for a message.
  std::optional<Message> receive(std::chrono::milliseconds limit);
};

}  // namespace polyhead::comm
