#include "polyhead/base/trace.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "polyhead/base/error.hpp"
#include "polyhead/base/own_file.hpp"

namespace polyhead::trace {
namespace {

struct Close {
  void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
};

constexpr std::string_view kBeginning = R"([{"name":"process_name","ph":"M")";

std::atomic<bool> on{false};
std::atomic<std::int64_t> flights{0};
std::mutex mutex;  // guards the members below
std::unique_ptr<std::FILE, Close> output;
std::filesystem::path path;
int process = 0;

/// Wall time: traces of several hosts line up as well as their clocks agree.
std::int64_t now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

double micro(std::int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e3;
}

int thread_number() {
  static std::atomic<int> threads{0};
  thread_local const int number = threads++;
  return number;
}

void write(const std::string& event) {
  const std::lock_guard lock(mutex);
  if (output) static_cast<void>(std::fputs(event.c_str(), output.get()));  // `stop` checks for errors
}

void write_flight(char phase, const char* name, std::int64_t number) {
  write(fmt::format(R"(,
{{"name":"{}","cat":"exchange","ph":"{}","id":"{}.{}","ts":{:.3f},"pid":{},"tid":{}}})",
                    name, phase, process, number, micro(now()), process, thread_number()));
}

}  // namespace

std::filesystem::path file_of(const std::filesystem::path& file, int rank) {
  std::filesystem::path own = file.parent_path() / file.stem();
  own += fmt::format(".{}", rank);
  own += file.extension();
  return own;
}

void start(const std::filesystem::path& file, int rank) {
  const std::lock_guard lock(mutex);
  path = file_of(file, rank);
  process = rank;
  if (!may_write_over(path, kBeginning)) {
    throw Error(ExitCode::cant_create,
                fmt::format("{}: --trace would replace a file that is no trace of polyhead's; choose another "
                            "name, or remove it yourself",
                            path.native()));
  }
  output.reset(std::fopen(path.c_str(), "w"));
  if (!output) {
    throw Error(ExitCode::cant_create,
                fmt::format("{}: the trace cannot be written; the folder must be there on every host",
                            path.native()));
  }
  static_cast<void>(
      std::fputs(fmt::format(R"({1},"pid":{0},"args":{{"name":"rank {0}"}}}})", rank, kBeginning).c_str(),
                 output.get()));
  static_cast<void>(std::fflush(output.get()));  // shows at once what kind of file this is
  on = true;
}

void stop() {
  if (!on.exchange(false)) return;
  const std::lock_guard lock(mutex);
  static_cast<void>(std::fputs("\n]\n", output.get()));
  const bool good = std::fflush(output.get()) == 0 && std::ferror(output.get()) == 0;
  output.reset();
  if (!good) {
    throw Error(ExitCode::io_error,
                fmt::format("{}: writing the trace failed; is the disk full?", path.native()));
  }
}

Span::Span(const char* name) : name_(name), start_(on ? now() : -1) {}

Span::~Span() {
  if (start_ < 0) return;
  const std::int64_t end = now();
  write(fmt::format(R"(,
{{"name":"{}","ph":"X","ts":{:.3f},"dur":{:.3f},"pid":{},"tid":{}}})",
                    name_, micro(start_), micro(end - start_), process, thread_number()));
}

Flight::Flight(const char* name) : name_(name), number_(on ? ++flights : 0) {
  if (number_ > 0) write_flight('b', name_, number_);
}

void Flight::end() {
  if (const std::int64_t number = std::exchange(number_, 0); number > 0) write_flight('e', name_, number);
}

}  // namespace polyhead::trace
