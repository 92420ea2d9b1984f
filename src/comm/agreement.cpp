#include "polyhead/comm/agreement.hpp"

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "polyhead/base/error.hpp"
#include "polyhead/base/wire.hpp"

namespace polyhead::comm {
namespace {

struct Verdict {
  ExitCode code = ExitCode::ok;
  std::string message;
  bool timed_out = false;  ///< another rank knows the reason
};

Verdict outcome_of(const std::function<void()>& step) {
  try {
    step();
    return {};
  } catch (const TimeoutError& error) {
    return {error.code(), error.what(), true};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::exception& error) {
    return {ExitCode::internal, error.what()};
  }
}

}  // namespace

void agree(Collectives& world, const std::function<void()>& step) {
  const Verdict mine = outcome_of(step);
  // The usual case costs eight bytes; texts are sent only after a failure.
  std::int64_t failures = mine.code == ExitCode::ok ? 0 : 1;
  world.all_reduce(std::span(&failures, 1));
  if (failures == 0) return;

  WireWriter writer;
  writer.put(mine.code).put(mine.timed_out).put_text(mine.message);
  std::optional<Verdict> told;
  for (const auto& bytes : world.all_gather(writer.bytes())) {
    WireReader reader(bytes);
    Verdict verdict;
    verdict.code = reader.get<ExitCode>();
    verdict.timed_out = reader.get<bool>();
    verdict.message = reader.get_text();
    if (verdict.code == ExitCode::ok) continue;
    if (!told || (told->timed_out && !verdict.timed_out)) told = std::move(verdict);
  }
  if (told) throw AgreedError(told->code, told->message);
}

}  // namespace polyhead::comm
