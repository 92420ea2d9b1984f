#include "page_writing.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/log.hpp"
#include "polyhead/base/text.hpp"
#include "polyhead/comm/agreement.hpp"
#include "polyhead/store/reader.hpp"

namespace polyhead::run {
namespace {

/// Facts about the file that the other ranks need.
struct Facts {
  store::Offsets offsets;
  std::int64_t classes = 0;
};

/// Note of a run's start, with its time, host and command: a file left by another run has a different one.
std::string note_of(const std::filesystem::path& output) {
  return store::Reader(output).text("provenance");
}

void check_same_file(const std::filesystem::path& output, std::span<const std::byte> note,
                     const std::string& host) {
  std::string found = "the file there is not the one that this run has created";
  try {
    const std::string text = note_of(output);
    if (text == std::string_view(reinterpret_cast<const char*>(note.data()), note.size())) return;
  } catch (const Error& error) {
    found = error.what();
  }
  throw Error(
      ExitCode::cant_create,
      fmt::format("{}: host {} does not see the output of rank 0: {}. output.writers: all wants a file "
                  "system that all ranks share; use output.writers: coordinator elsewhere",
                  output.string(), host, found));
}

}  // namespace

std::unique_ptr<store::PageWriter> open_page_writing(comm::Collectives& world, const Inputs& inputs,
                                                     const store::Offsets& offsets, bool works,
                                                     const std::string& host) {
  const std::filesystem::path& output = inputs.config.output.path;
  Facts facts{offsets, inputs.weights.classes};
  std::vector<std::byte> note;
  comm::agree(world, [&] {
    if (world.rank() != 0) return;
    const std::string text = note_of(output);
    const auto bytes = std::as_bytes(std::span(text));
    note.assign(bytes.begin(), bytes.end());
  });
  world.broadcast(std::as_writable_bytes(std::span(&facts, 1)), 0);
  comm::broadcast_any(world, note);

  std::unique_ptr<store::PageWriter> pages;
  comm::agree(world, [&] {
    if (!works) return;
    check_same_file(output, note, host);
    store::Layout layout = inputs.layout();
    layout.classes = facts.classes;
    pages = std::make_unique<store::PageWriter>(store::open_for_writing(output), layout, facts.offsets);
  });
  return pages;
}

void tell_what_was_written(comm::Collectives& world, const store::PageWriter* pages) {
  auto bytes = pages == nullptr ? 0 : static_cast<std::int64_t>(pages->bytes());
  world.all_reduce(std::span(&bytes, 1));
  if (world.rank() != 0) return;
  log::info(
      fmt::format("the ranks wrote {} of rows themselves", human_bytes(static_cast<std::uint64_t>(bytes))));
}

std::chrono::milliseconds commit_interval_of(const config::Output& output) {
  // A rank syncs first, then the coordinator: together they take the time that is allowed.
  return output.writers == config::Writers::all ? output.commit_interval / 2 : output.commit_interval;
}

}  // namespace polyhead::run
