#include "set_up.hpp"

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/stop.hpp"
#include "polyhead/comm/agreement.hpp"

namespace polyhead::run {
namespace {

/// Throws with the place of the stop, which launchers need: a machine that is taken away is a lost host.
void throw_if_stopped(int rank, const std::string& host) {
  const StopRequest asked = stop_asked();
  if (asked.how == Stop::no) return;
  throw Error(ExitCode::preempted,
              fmt::format("stopped by {} at rank {} on {} before work began", asked.why, rank, host));
}

}  // namespace

void agree_naming_place(comm::Collectives& world, const std::string& host,
                        const std::function<void()>& step) {
  const auto place = [&](const Error& error) {
    const std::string where = world.rank() == 0 ? "" : fmt::format("rank {} on {}: ", world.rank(), host);
    return where + error.what();
  };
  comm::agree(world, [&] {
    try {
      step();
    } catch (const TimeoutError& error) {
      throw TimeoutError(error.code(), place(error));
    } catch (const Error& error) {
      throw Error(error.code(), place(error));
    }
  });
}

void set_up(comm::Collectives& world, const std::string& host, const std::function<void()>& step) {
  agree_naming_place(world, host, [&] {
    throw_if_stopped(world.rank(), host);
    step();
  });
}

}  // namespace polyhead::run
