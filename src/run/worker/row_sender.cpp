#include "row_sender.hpp"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "polyhead/base/wire.hpp"
#include "run/protocol/send_to_coordinator.hpp"

namespace polyhead::run {

void RowSender::send(store::Rows rows) {
  if (own_.writer == nullptr) return send_to_coordinator(to_, ToCoordinator::rows, rows.to_wire());
  if (own_.writer->unsynced() == 0) oldest_unsynced_ = Clock::now();
  send_to_coordinator(to_, ToCoordinator::rows, own_.writer->write(std::move(rows)).to_wire());
  if (Clock::now() - oldest_unsynced_ >= own_.interval) finish();
}

void RowSender::finish() {
  if (own_.writer == nullptr) return;
  const std::vector<std::int64_t> batches = own_.writer->sync();
  if (batches.empty()) return;
  WireWriter message;
  message.put_array(std::span(batches));
  send_to_coordinator(to_, ToCoordinator::synced, message.bytes());
}

}  // namespace polyhead::run
