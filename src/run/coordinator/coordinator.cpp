#include "coordinator.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "heartbeat.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/sample.hpp"
#include "polyhead/base/wire.hpp"
#include "polyhead/plan/steps.hpp"
#include "run/protocol/lease_message.hpp"
#include "run/protocol/silence.hpp"
#include "run/setup/bad_samples.hpp"

namespace polyhead::run {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kIdle{20};           // longest wait for one message
constexpr std::size_t kMessagesAtOnce = 16;              // most messages per rank
constexpr std::chrono::milliseconds kStopInterval{100};  // longest time between commits after a stop request:
                                                         // a kill may follow soon

}  // namespace

Coordinator::Coordinator(comm::Channel& from_ranks, comm::Channel& to_ranks, plan::LeaseSchedule schedule,
                         store::Writer& writer, const plan::MicroBatches& batches, Settings settings)
    : from_ranks_(from_ranks),
      to_ranks_(to_ranks),
      schedule_(std::move(schedule)),
      writer_(writer),
      batches_(batches),
      settings_(std::move(settings)),
      ranks_(settings_.hosts.size(), Rank{Clock::now(), {}, false}),
      looked_(Clock::now()),
      samples_done_(settings_.earlier.finished),
      quarantined_(settings_.earlier.quarantined) {}

Coordinator::~Coordinator() = default;

void Coordinator::run() {
  heartbeat_ = std::make_unique<Heartbeat>(to_ranks_, static_cast<int>(ranks_.size()), settings_.timeout / 6);
  try {
    serve();
  } catch (...) {
    try {
      writer_.commit();
    } catch (const Error& error) {  // the first error is reported
      log::warning(fmt::format("the last rows could not be committed: {}", error.what()));
    }
    throw;
  }
  writer_.commit();
}

void Coordinator::serve() {
  for (Rank& rank : ranks_) rank.last_heard = Clock::now();
  looked_ = Clock::now();
  if (settings_.opened) enter_opening_leases();
  while (!finished()) {
    const bool heard_all = handle_messages();
    look_for_stop(settings_.asked());
    // A long write may have blocked this thread: ranks that spoke meanwhile are not silent.
    if (heard_all) look_for_silent_ranks();
    commit_when_due();
    settings_.progress(samples_done_);
    dismiss_surplus();
  }
}

/// Handles what has arrived, after a short wait; the wait is bounded, since commits are due. Returns whether
/// nothing is left.
bool Coordinator::handle_messages() {
  auto message = from_ranks_.receive(kIdle);
  for (std::size_t i = 0; message && i < kMessagesAtOnce * ranks_.size(); ++i) {
    handle(*message);
    message = from_ranks_.poll();
  }
  if (message) handle(*message);
  return !message;
}

void Coordinator::handle(const comm::Message& message) {
  Rank& rank = ranks_.at(static_cast<std::size_t>(message.source));
  rank.last_heard = Clock::now();
  WireReader reader(message.bytes);
  switch (static_cast<ToCoordinator>(message.tag)) {
    case ToCoordinator::request:
      return grant(settings_.grid.group_of(message.source));
    case ToCoordinator::rows:
      return keep(message.source, store::Rows::from_wire(message.bytes));
    case ToCoordinator::features:
      if (settings_.cache != nullptr) settings_.cache->write(store::Features::get(reader));
      return;
    case ToCoordinator::synced:
      return rest_is_synced(reader.get_array<std::int64_t>());
    case ToCoordinator::heartbeat:
      return;
    case ToCoordinator::stop: {
      const auto how = reader.get<Stop>();
      return look_for_stop({how, fmt::format("{} at {}", reader.get_text(), name(message.source))});
    }
    case ToCoordinator::farewell:
      rank.gone = true;
      heartbeat_->leave_out(message.source);
      return;
    case ToCoordinator::failure: {
      const auto code = reader.get<ExitCode>();
      throw Error(code, fmt::format("{}: {}", name(message.source), reader.get_text()));
    }
  }
  throw Error(ExitCode::internal,
              fmt::format("{} sent an unknown message ({})", name(message.source), message.tag));
}

/// Stops: no more work is handed out, and ranks leave what they have not begun.
void Coordinator::look_for_stop(const StopRequest& asked) {
  if (asked.how <= stop_.how) return;
  const bool first = stop_.how == Stop::no;
  stop_ = {asked.how, first ? asked.why : stop_.why};
  if (stop_.how == Stop::now) throw Error(ExitCode::preempted, fmt::format("stopped at once: {}", asked.why));
  log::info(fmt::format("{}: finishing the micro-batches under way", asked.why));
  for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
    if (!ranks_[rank].gone) tell(static_cast<int>(rank), ToRank::stop);
  }
}

void Coordinator::enter_opening_leases() {
  const auto leases = schedule_.open(seconds());
  for (int rank = 0; rank < settings_.grid.ranks(); ++rank) {
    ranks_.at(static_cast<std::size_t>(rank)).lease =
        leases.at(static_cast<std::size_t>(settings_.grid.group_of(rank)));
  }
}

/// Grants a lease. All ranks of a group get equal leases in one order.
void Coordinator::grant(int group) {
  plan::Lease lease;  // empty: no more work
  if (stop_.how == Stop::no) lease = schedule_.next(group, seconds()).value_or(lease);
  const int leader = settings_.grid.leader_of(group);
  for (int rank = leader; rank < leader + settings_.grid.heads; ++rank) send_grant(rank, lease);
}

void Coordinator::send_grant(int rank, const plan::Lease& lease) {
  if (lease.count > 0) ranks_.at(static_cast<std::size_t>(rank)).lease = lease;
  const plan::Grid& grid = settings_.grid;
  const auto batches = plan::reads(lease, grid.heads, grid.member_of(rank), settings_.all_read);
  WireWriter writer;
  put_lease_message(writer, lease, batches, batches_, settings_.locations);
  for (const std::int64_t batch : batches) {
    const auto known = settings_.cache != nullptr ? settings_.cache->read(batch) : std::nullopt;
    if (known) known->put(writer);
  }
  tell(rank, ToRank::lease_message, writer.bytes());
}

/// Dismisses the ranks outside the grid. They wait for an empty grant, which they get when all others have
/// gone.
void Coordinator::dismiss_surplus() {
  const auto working = std::span(ranks_).first(static_cast<std::size_t>(settings_.grid.ranks()));
  if (dismissed_ || !std::ranges::all_of(working, &Rank::gone)) return;
  dismissed_ = true;
  for (int rank = settings_.grid.ranks(); rank < static_cast<int>(ranks_.size()); ++rank)
    send_grant(rank, {});
}

void Coordinator::keep(int rank, const store::Rows& rows) {
  if (writer_.uncommitted() == 0) oldest_uncommitted_ = Clock::now();
  writer_.write(rows);
  schedule_.finished(settings_.grid.group_of(rank), 1, seconds());
  samples_done_ += rows.count;
  std::size_t last = 0;  // all of the micro-batch count, as they are kept in the file
  for (std::size_t n = 0; n < rows.status.size(); ++n) {
    if (rows.status[n] != static_cast<std::uint8_t>(SampleStatus::quarantined)) continue;
    ++quarantined_;
    last = n;
  }
  if (quarantined_ > settings_.max_bad && !rows.reason.empty())
    throw_too_many_bad(rows.batch * batches_.size() + static_cast<std::int64_t>(last), rows.reason[last]);
}

void Coordinator::throw_too_many_bad(std::int64_t last, std::uint8_t reason) const {
  const BadSamples bad{quarantined_, samples_done_, batches_.samples()};
  throw TooManyBad(
      fmt::format(
          "{} quarantined, data.max_bad allows {} of {}; the last: sample {}, {}. Look at the data and "
          "the heads, or allow more (at this rate it will be {}): {}",
          quarantined_ == 1 ? "1 sample is" : fmt::format("{} samples are", quarantined_), settings_.max_bad,
          bad.samples, settings_.sample_id(last), describe(static_cast<Reason>(reason)), expected_bad(bad),
          advised_option(bad)),
      bad);
}

void Coordinator::rest_is_synced(const std::vector<std::int64_t>& batches) {
  if (writer_.uncommitted() == 0) oldest_uncommitted_ = Clock::now();
  for (const std::int64_t batch : batches) writer_.rest_is_synced(batch);
}

void Coordinator::commit_when_due() {
  const auto interval =
      stop_.how == Stop::no ? settings_.commit_interval : std::min(kStopInterval, settings_.commit_interval);
  if (writer_.uncommitted() > 0 && Clock::now() - oldest_uncommitted_ >= interval) writer_.commit();
}

void Coordinator::look_for_silent_ranks() {
  const auto now = Clock::now();
  const auto uncounted = not_listened(std::exchange(looked_, now), now, settings_.timeout);
  for (Rank& rank : ranks_) rank.last_heard += uncounted;
  for (std::size_t i = 0; i < ranks_.size(); ++i) {
    const Rank& rank = ranks_[i];
    if (rank.gone || now - rank.last_heard < settings_.timeout) continue;
    throw LostRank(
        static_cast<int>(i),
        fmt::format("{} has been silent for {} s (comm.timeout); its last lease: micro-batches {} to {}",
                    name(static_cast<int>(i)),
                    std::chrono::duration_cast<std::chrono::seconds>(settings_.timeout).count(),
                    rank.lease.first, rank.lease.first + rank.lease.count - 1));
  }
}

/// Sends a message. A rank that accepts none counts as lost.
void Coordinator::tell(int rank, ToRank tag, std::span<const std::byte> bytes) {
  try {
    to_ranks_.send(rank, static_cast<int>(tag), bytes);
  } catch (const Error& error) {
    throw LostRank(rank, fmt::format("{} takes no messages: {}", name(rank), error.what()));
  }
}

double Coordinator::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

bool Coordinator::finished() const {
  return std::ranges::all_of(ranks_, &Rank::gone);
}

std::string Coordinator::name(int rank) const {
  return fmt::format("rank {} on {}", rank, settings_.hosts.at(static_cast<std::size_t>(rank)));
}

}  // namespace polyhead::run
