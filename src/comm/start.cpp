#include "start.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/text.hpp"

namespace polyhead::comm {
namespace {

constexpr std::size_t kMaxNamed = 8;  // number of ranks named in a message

/// "rank 3", "ranks 1, 2, 5"
std::string named(const std::vector<int>& ranks) {
  std::vector<std::string> numbers;
  const auto shown = std::min(ranks.size(), kMaxNamed);
  for (std::size_t i = 0; i < shown; ++i) numbers.push_back(std::to_string(ranks[i]));
  const std::string more =
      shown < ranks.size() ? fmt::format(" and {} more", ranks.size() - shown) : std::string();
  return fmt::format("{} {}{}", ranks.size() == 1 ? "rank" : "ranks", join(numbers), more);
}

}  // namespace

std::vector<int> first_contacts(int rank, int size) {
  std::set<int> found;
  for (int other = 1; rank == 0 && other < size; ++other) found.insert(other);
  for (std::int64_t distance = 1; distance < size; distance *= 2) {
    found.insert(static_cast<int>((rank + distance) % size));
    found.insert(static_cast<int>((rank + size - distance) % size));
  }
  found.insert(0);
  found.erase(rank);
  return {found.begin(), found.end()};
}

void StartProgress::enter(std::string_view step) {
  const std::lock_guard lock(mutex_);
  step_ = step;
}

void StartProgress::wait_for(std::vector<int> waiting, int rank, int size) {
  const std::lock_guard lock(mutex_);
  waiting_ = std::move(waiting);
  rank_ = rank;
  size_ = size;
}

std::string StartProgress::overdue(const std::string& host, std::chrono::milliseconds limit) const {
  const std::lock_guard lock(mutex_);
  std::string where = host;
  if (rank_ >= 0) where = fmt::format("rank {} on {}", rank_, host);
  const std::string what = waiting_.empty() ? fmt::format("{} has not returned", step_)
                                            : fmt::format("no word from {} of {}", named(waiting_), size_);
  return fmt::format(
      "{}: MPI has not started within {} s: {}. A rank may not have come up, or the hosts do not reach each "
      "other by the network that MPI has chosen.\n"
      "Name the network that they share: --mca btl_tcp_if_include eth0 --mca oob_tcp_if_include eth0 (or "
      "10.0.0.0/24). Bridges such as docker0 and virbr0 have the same address on every host and lead "
      "nowhere: "
      "--mca btl_tcp_if_exclude lo,docker0,virbr0 --mca oob_tcp_if_exclude lo,docker0,virbr0.\n"
      "Firewalls must let all TCP ports pass between the hosts. Where the start only takes long: "
      "POLYHEAD_MPI_START_TIMEOUT=10min",
      where, std::chrono::duration<double>(limit).count(), what);
}

}  // namespace polyhead::comm
