#pragma once

#include <chrono>

#include "polyhead/comm/channel.hpp"
#include "worker.hpp"

namespace polyhead::run {

/// Brings a rank's finished rows to the file: by the coordinator, or with it. Used by one thread.
class RowSender {
 public:
  RowSender(comm::Channel& to_coordinator, const PageWriting& own) : to_(to_coordinator), own_(own) {}

  void send(store::Rows rows);
  /// Ensures that all sent rows can be committed. Must be called at the end.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  comm::Channel& to_;
  PageWriting own_;
  Clock::time_point oldest_unsynced_;
};

}  // namespace polyhead::run
