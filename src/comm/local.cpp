#include "polyhead/comm/local.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "blocks.hpp"
#include "copy_bytes.hpp"
#include "local_rounds.hpp"
#include "polyhead/base/error.hpp"

namespace polyhead::comm {

struct LocalWorld::State {
  State(int ranks, std::chrono::milliseconds timeout) : rounds(ranks, timeout) {}

  LocalRounds rounds;
  std::mutex mutex;
  std::map<std::pair<int, int>, std::deque<Message>> mailboxes;  // by (channel, destination)
};

namespace {

using Parts = LocalRounds::Parts;

void require(bool same_size, const char* call) {
  if (!same_size) throw Error(ExitCode::internal, std::string(call) + ": ranks give different sizes");
}

/// Adds the values at `offset` bytes.
void add(std::span<std::int64_t> sums, const std::vector<std::byte>& bytes, std::size_t offset) {
  for (std::size_t i = 0; i < sums.size(); ++i) {
    std::int64_t value = 0;
    std::memcpy(&value, bytes.data() + offset + i * sizeof(value), sizeof(value));
    sums[i] += value;
  }
}

/// `finish` makes the result of all ranks' bytes, in the thread that waits.
class LocalPending final : public Pending {
 public:
  LocalPending(LocalRounds& rounds, std::uint64_t round, std::function<void(const Parts&)> finish)
      : rounds_(&rounds), round_(round), finish_(std::move(finish)) {}
  LocalPending(const LocalPending&) = delete;
  LocalPending& operator=(const LocalPending&) = delete;
  ~LocalPending() override {
    try {
      wait();
    } catch (const Error&) {  // callers that need the error call `wait`
    }
  }

  void wait() override {
    if (LocalRounds* rounds = std::exchange(rounds_, nullptr)) rounds->take(round_, finish_);
  }

 private:
  LocalRounds* rounds_;
  std::uint64_t round_;
  std::function<void(const Parts&)> finish_;
};

class LocalCollectives final : public Collectives {
 public:
  LocalCollectives(LocalRounds& rounds, int rank) : rounds_(rounds), rank_(rank) {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return rounds_.ranks(); }

  void broadcast(std::span<std::byte> bytes, int root) override {
    const auto sent = rank_ == root ? bytes : std::span<std::byte>{};
    rounds_.take(rounds_.join(rank_, sent), [&](const Parts& parts) {
      const auto& from = parts[static_cast<std::size_t>(root)];
      require(from.size() == bytes.size(), "broadcast");
      copy_bytes(from, bytes);
    });
  }

  void all_reduce(std::span<std::int64_t> values) override {
    rounds_.take(rounds_.join(rank_, std::as_bytes(values)), [&](const Parts& parts) {
      std::ranges::fill(values, 0);
      for (const auto& bytes : parts) {
        require(bytes.size() == values.size_bytes(), "all-reduce");
        add(values, bytes, 0);
      }
    });
  }

  std::vector<std::vector<std::byte>> all_gather(std::span<const std::byte> bytes) override {
    std::vector<std::vector<std::byte>> all;
    rounds_.take(rounds_.join(rank_, bytes), [&](const Parts& parts) { all = parts; });
    return all;
  }

  void barrier() override { all_gather({}); }

  std::unique_ptr<Pending> start_all_gather(std::span<const std::byte> mine,
                                            std::span<std::byte> all) override {
    check_blocks("all-gather", mine.size(), all.size(), size());
    return start(mine, [all, size = mine.size()](const Parts& parts) {
      std::span<std::byte> to = all;
      for (const auto& bytes : parts) {
        require(bytes.size() == size, "all-gather");
        to = copy_bytes(bytes, to);
      }
    });
  }

  std::unique_ptr<Pending> start_reduce_scatter(std::span<const std::int64_t> all,
                                                std::span<std::int64_t> mine) override {
    check_blocks("reduce-scatter", mine.size(), all.size(), size());
    const std::size_t begin = static_cast<std::size_t>(rank_) * mine.size_bytes();
    return start(std::as_bytes(all), [mine, begin, size = all.size_bytes()](const Parts& parts) {
      std::ranges::fill(mine, 0);
      for (const auto& bytes : parts) {
        require(bytes.size() == size, "reduce-scatter");
        add(mine, bytes, begin);
      }
    });
  }

  std::unique_ptr<Pending> start_all_to_all(std::span<const std::byte> blocks, std::span<std::byte> received,
                                            std::span<const std::size_t> sizes) override {
    check_all_to_all(blocks.size(), received.size(), sizes, rank_, size());
    return start(blocks, [received, mine = static_cast<std::size_t>(rank_),
                          sizes = std::vector(sizes.begin(), sizes.end())](const Parts& parts) {
      std::span<std::byte> to = received;
      for (std::size_t rank = 0; rank < sizes.size(); ++rank) {
        require(parts[rank].size() == sizes[rank] * sizes.size(), "all-to-all");
        to = copy_bytes(std::span(parts[rank]).subspan(mine * sizes[rank], sizes[rank]), to);
      }
    });
  }

 private:
  std::unique_ptr<Pending> start(std::span<const std::byte> bytes, std::function<void(const Parts&)> finish) {
    return std::make_unique<LocalPending>(rounds_, rounds_.join(rank_, bytes), std::move(finish));
  }

  LocalRounds& rounds_;
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

LocalWorld::LocalWorld(int size, std::chrono::milliseconds timeout)
    : state_(std::make_shared<State>(size, timeout)) {}

LocalWorld::~LocalWorld() = default;

std::unique_ptr<Collectives> LocalWorld::collectives(int rank) {
  return std::make_unique<LocalCollectives>(state_->rounds, rank);
}

std::unique_ptr<Channel> LocalWorld::channel(int rank, int number) {
  return std::make_unique<LocalChannel<State>>(state_, rank, number);
}

}  // namespace polyhead::comm
