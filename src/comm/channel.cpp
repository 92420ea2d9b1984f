#include "polyhead/comm/channel.hpp"

#include "wait.hpp"

namespace polyhead::comm {

std::optional<Message> Channel::receive(std::chrono::milliseconds limit) {
  std::optional<Message> message;
  wait_until([&] { return (message = poll()).has_value(); }, limit);
  return message;
}

}  // namespace polyhead::comm
