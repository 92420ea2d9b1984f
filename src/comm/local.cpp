#include "polyhead/comm/local.hpp"

#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "polyhead/base/error.hpp"

namespace polyhead::comm {

struct LocalWorld::State {
  int size = 1;
  std::chrono::milliseconds timeout{};
  std::mutex mutex;
  std::condition_variable changed;
  // One collective at a time: ranks arrive with their bytes, the last one publishes all of them as a new
  // round.
  int arrived = 0;
  std::uint64_t round = 0;
  std::vector<std::vector<std::byte>> arriving;
  std::vector<std::vector<std::byte>> published;
  std::map<std::pair<int, int>, std::deque<Message>> mailboxes;  // by (channel, destination)
};

namespace {

template <class State>
class LocalCollectives final : public Collectives {
 public:
  LocalCollectives(std::shared_ptr<State> state, int rank) : state_(std::move(state)), rank_(rank) {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return state_->size; }

  void broadcast(std::span<std::byte> bytes, int root) override {
    const auto all = all_gather(rank_ == root ? bytes : std::span<std::byte>{});
    const auto& from = all[static_cast<std::size_t>(root)];
    if (from.size() != bytes.size()) throw Error(ExitCode::internal, "broadcast: ranks give different sizes");
    if (!from.empty()) std::memcpy(bytes.data(), from.data(), from.size());
  }

  void all_reduce(std::span<std::int64_t> values) override {
    const auto all = all_gather(std::as_bytes(values));
    std::fill(values.begin(), values.end(), 0);
    for (const auto& bytes : all) {
      if (bytes.size() != values.size_bytes())
        throw Error(ExitCode::internal, "all-reduce: ranks give different sizes");
      for (std::size_t i = 0; i < values.size(); ++i) {
        std::int64_t value = 0;
        std::memcpy(&value, bytes.data() + i * sizeof(value), sizeof(value));
        values[i] += value;
      }
    }
  }

  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> bytes) override {
    std::unique_lock lock(state_->mutex);
    const std::uint64_t round = state_->round;
    state_->arriving[static_cast<std::size_t>(rank_)].assign(bytes.begin(), bytes.end());
    if (++state_->arrived == state_->size) {
      state_->published = state_->arriving;
      state_->arrived = 0;
      ++state_->round;
      state_->changed.notify_all();
    } else if (!state_->changed.wait_for(lock, state_->timeout, [&] { return state_->round != round; })) {
      throw Error(ExitCode::unavailable, "a rank did not join a collective in time");
    }
    return state_->published;
  }

  void barrier() override { all_gather({}); }

 private:
  std::shared_ptr<State> state_;
  int rank_;
};

template <class State>
class LocalChannel final : public Channel {
 public:
  LocalChannel(std::shared_ptr<State> state, int rank, int number)
      : state_(std::move(state)), rank_(rank), number_(number) {}

  void send(int destination, int tag, std::span<const std::byte> bytes) override {
    const std::lock_guard lock(state_->mutex);
    state_->mailboxes[{number_, destination}].push_back({rank_, tag, {bytes.begin(), bytes.end()}});
  }

  std::optional<Message> poll() override {
    const std::lock_guard lock(state_->mutex);
    auto& mailbox = state_->mailboxes[{number_, rank_}];
    if (mailbox.empty()) return std::nullopt;
    Message message = std::move(mailbox.front());
    mailbox.pop_front();
    return message;
  }

 private:
  std::shared_ptr<State> state_;
  int rank_;
  int number_;
};

}  // namespace

LocalWorld::LocalWorld(int size, std::chrono::milliseconds timeout) : state_(std::make_shared<State>()) {
  state_->size = size;
  state_->timeout = timeout;
  state_->arriving.resize(static_cast<std::size_t>(size));
}

LocalWorld::~LocalWorld() = default;

std::unique_ptr<Collectives> LocalWorld::collectives(int rank) {
  return std::make_unique<LocalCollectives<State>>(state_, rank);
}

std::unique_ptr<Channel> LocalWorld::channel(int rank, int number) {
  return std::make_unique<LocalChannel<State>>(state_, rank, number);
}

}  // namespace polyhead::comm
