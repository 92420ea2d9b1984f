#include "state.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>

namespace nccl_double {
namespace {

std::vector<Fault> faults_from_environment() {
  const char* text = std::getenv("POLYHEAD_NCCL_DOUBLE_ERROR");
  if (text == nullptr) return {};
  Fault fault;
  std::istringstream(text) >> fault.rank >> fault.call;
  return {fault};
}

struct State {
  std::mutex mutex;
  std::vector<Entry> log;
  std::vector<std::string> breaches;
  std::vector<Fault> faults = faults_from_environment();
};

State& state() {
  static State state;
  return state;
}

void write(const Entry& entry) {
  const char* path = std::getenv("POLYHEAD_NCCL_DOUBLE_LOG");
  if (path == nullptr) return;
  std::ofstream(std::string(path) + '.' + std::to_string(entry.rank), std::ios::app)
      << entry.what << ' ' << entry.count << ' ' << entry.type << '\n';
}

}  // namespace

void note(Entry entry) {
  const std::lock_guard lock(state().mutex);
  write(entry);
  state().log.push_back(std::move(entry));
}

void breach(const std::string& text) {
  const std::lock_guard lock(state().mutex);
  state().breaches.push_back(text);
}

std::string last_breach() {
  const std::lock_guard lock(state().mutex);
  return state().breaches.empty() ? "" : state().breaches.back();
}

bool take_fault(FaultKind kind, int rank, int call) {
  const std::lock_guard lock(state().mutex);
  const auto same = [&](const Fault& fault) {
    return fault.kind == kind && fault.rank == rank && fault.call == call;
  };
  return std::erase_if(state().faults, same) > 0;
}

std::vector<Entry> log() {
  const std::lock_guard lock(state().mutex);
  return state().log;
}

std::vector<std::string> breaches() {
  const std::lock_guard lock(state().mutex);
  return state().breaches;
}

void plant(const Fault& fault) {
  const std::lock_guard lock(state().mutex);
  state().faults.push_back(fault);
}

void reset() {
  const std::lock_guard lock(state().mutex);
  state().log.clear();
  state().breaches.clear();
  state().faults.clear();
}

std::size_t handles_left() {
  return handles;
}

}  // namespace nccl_double
