#pragma once

#include <cstdint>
#include <filesystem>

/// Timeline of a process in a file that chrome://tracing and https://ui.perfetto.dev show: JSON in the "Trace
/// Event Format", https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU. Without a
/// trace, a span costs one look at a flag.
namespace polyhead::trace {

/// "trace.json" of rank 3 is "trace.3.json".
std::filesystem::path file_of(const std::filesystem::path& file, int rank);

/// Sends all threads' spans to `file_of(file, rank)` from now on. Throws Error(cant_create).
void start(const std::filesystem::path& file, int rank);
/// Ends the file. Spans that are still open are left out. Throws Error(io_error).
void stop();

/// Span on the calling thread, from construction to destruction. `name` must outlive the trace: a literal.
class Span {
 public:
  explicit Span(const char* name);
  ~Span();
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

 private:
  const char* name_;
  std::int64_t start_;  ///< -1: no trace is written
};

/// Operation beside the threads, such as an exchange; it may end in another thread than it began in.
class Flight {
 public:
  explicit Flight(const char* name);
  /// Ends the operation. Further calls do nothing.
  void end();

 private:
  const char* name_;
  std::int64_t number_;  ///< 0: ended, or no trace is written
};

}  // namespace polyhead::trace
