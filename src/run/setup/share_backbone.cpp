#include "share_backbone.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/sealed_memory.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/comm/agreement.hpp"

namespace polyhead::run {
namespace {

/// Rank that writes for rank `rank`; nothing where that one is alone on its host.
std::optional<std::size_t> writer_for(const std::vector<std::string>& hosts, std::size_t rank) {
  if (hosts[rank].empty() || std::ranges::count(hosts, hosts[rank]) < 2) return std::nullopt;
  return static_cast<std::size_t>(std::ranges::find(hosts, hosts[rank]) - hosts.begin());
}

/// Memory from `work`, or the error that prevented it.
template <class Work>
std::shared_ptr<SealedMemory> attempt(std::string& trouble, Work work) {
  try {
    return std::make_shared<SealedMemory>(work());
  } catch (const Error& error) {
    trouble = error.what();
    return nullptr;
  }
}

SealedMemory::Ticket ticket_in(std::span<const std::byte> bytes) {
  SealedMemory::Ticket ticket;
  std::memcpy(&ticket, bytes.data(), sizeof ticket);
  return ticket;
}

/// Logs the result on rank 0.
void tell(const std::vector<std::vector<std::byte>>& troubles, const std::vector<std::string>& hosts,
          std::size_t bytes) {
  const auto first = std::ranges::find_if(troubles, [](const auto& text) { return !text.empty(); });
  if (first == troubles.end()) {
    log::info(
        fmt::format("the ranks of a host share the backbone's prepared weights ({})", human_bytes(bytes)));
    return;
  }
  const auto rank = static_cast<std::size_t>(first - troubles.begin());
  const auto many = std::ranges::count_if(troubles, [](const auto& text) { return !text.empty(); });
  log::info(
      fmt::format("{} rank(s) cannot share the backbone's prepared weights, and take {} more each; the "
                  "first is rank {} on {}: {}",
                  many, human_bytes(bytes), rank, hosts[rank],
                  std::string_view(reinterpret_cast<const char*>(first->data()), first->size())));
}

}  // namespace

model::Prepared share_backbone(comm::Collectives& world, const std::vector<std::string>& hosts,
                               const config::Backbone& backbone, const model::DeviceAssignment& assignment,
                               const model::Weights& weights) {
  const auto rank = static_cast<std::size_t>(world.rank());
  const std::size_t size = model::prepared_size(backbone, assignment);
  const std::optional<std::size_t> writer = size > 0 ? writer_for(hosts, rank) : std::nullopt;
  std::shared_ptr<SealedMemory> memory;
  SealedMemory::Ticket ticket;
  std::string trouble;
  comm::agree(world, [&] {
    if (writer != rank) return;
    memory = attempt(trouble, [&] {
      return SealedMemory(size * sizeof(float), [&](std::span<std::byte> bytes) {
        model::prepare(backbone, weights, {reinterpret_cast<float*>(bytes.data()), size});
      });
    });
    if (memory) ticket = memory->ticket();
  });
  const auto tickets = world.all_gather(std::as_bytes(std::span(&ticket, 1)));
  if (writer && *writer != rank) {
    const SealedMemory::Ticket theirs = ticket_in(tickets[*writer]);
    memory = attempt(trouble, [&] { return SealedMemory(theirs); });
  }
  const auto troubles = world.all_gather(std::as_bytes(std::span(trouble)));
  if (memory) memory->close();
  if (rank == 0 && writer) tell(troubles, hosts, size * sizeof(float));
  if (!memory) return {};
  return {{reinterpret_cast<const float*>(memory->bytes().data()), size}, memory};
}

}  // namespace polyhead::run
