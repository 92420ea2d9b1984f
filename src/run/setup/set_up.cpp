#include "set_up.hpp"

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/stop.hpp"
#include "polyhead/comm/agreement.hpp"

namespace polyhead::run {
namespace {

/// Launchers want to know whose stop it was: a machine that is taken away is a lost host.
void throw_if_stopped(int rank, const std::string& host) {
  const StopRequest asked = stop_asked();
  if (asked.how == Stop::no) return;
  throw Error(ExitCode::preempted,
              fmt::format("stopped by {} at rank {} on {} before work began", asked.why, rank, host));
}

}  // namespace

void set_up(comm::Collectives& world, const std::string& host, const std::function<void()>& step) {
  comm::agree(world, [&] {
    throw_if_stopped(world.rank(), host);
    try {
      step();
    } catch (const Error& error) {
      if (world.rank() == 0) throw;
      throw Error(error.code(), fmt::format("rank {} on {}: {}", world.rank(), host, error.what()));
    }
  });
}

}  // namespace polyhead::run
