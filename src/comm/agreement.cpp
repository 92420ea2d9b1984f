#include "polyhead/comm/agreement.hpp"

#include <exception>
#include <string>

#include "polyhead/base/error.hpp"
#include "polyhead/base/wire.hpp"

namespace polyhead::comm {
namespace {

struct Verdict {
  ExitCode code = ExitCode::ok;
  std::string message;
};

Verdict outcome_of(const std::function<void()>& step) {
  try {
    step();
    return {};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::exception& error) {
    return {ExitCode::internal, error.what()};
  }
}

}  // namespace

void agree(Collectives& world, const std::function<void()>& step) {
  const Verdict mine = outcome_of(step);
  // The usual case costs eight bytes; texts travel only when there is one.
  std::int64_t failures = mine.code == ExitCode::ok ? 0 : 1;
  world.all_reduce(std::span(&failures, 1));
  if (failures == 0) return;

  WireWriter writer;
  writer.put(mine.code).put_text(mine.message);
  for (const auto& bytes : world.all_gather(writer.bytes())) {
    WireReader reader(bytes);
    const auto code = reader.get<ExitCode>();
    if (code != ExitCode::ok) throw AgreedError(code, reader.get_text());
  }
}

}  // namespace polyhead::comm
