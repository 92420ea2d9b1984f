#include "record_reader.hpp"

#include <utility>

namespace polyhead::data {
namespace {

constexpr int kEnd = std::char_traits<char>::eof();
constexpr std::size_t kMaxRecord = std::size_t{1} << 16U;  // bytes per record; paths end at 4096

}  // namespace

RecordReader::RecordReader(std::istream& in, Dialect dialect) : in_(in), dialect_(dialect) {
  for (const int byte : {0xEF, 0xBB, 0xBF}) {
    if (in_.rdbuf()->sgetc() != byte) break;
    in_.rdbuf()->sbumpc();
  }
}

/// Next character; CRLF is returned as LF.
int RecordReader::take() {
  int c = in_.rdbuf()->sbumpc();
  if (c == '\r' && in_.rdbuf()->sgetc() == '\n') c = in_.rdbuf()->sbumpc();
  if (c == '\r' && dialect_.cr) c = '\n';
  if (c == '\n') ++next_line_;
  return c;
}

/// Keeps the first problem only.
void RecordReader::complain(const char* problem) {
  if (problem_.empty()) problem_ = problem;
}

void RecordReader::add(int c) {
  if (c == '\0') complain("found a NUL byte; expected text");
  if (++length_ > kMaxRecord) return complain("found more than 65536 bytes; expected a path and a label");
  field_ += static_cast<char>(c);
}

void RecordReader::end_field() {
  fields_.push_back(field_);
  field_.clear();
}

/// Reads from behind the opening quote to the closing one.
void RecordReader::read_quoted() {
  while (true) {
    const int c = take();
    if (c == kEnd) return complain("found an opening quote without a closing one");
    if (c == '"' && in_.rdbuf()->sgetc() != '"') return;
    if (c == '"') take();
    add(c);
  }
}

bool RecordReader::next() {
  fields_.clear();
  field_.clear();
  problem_.clear();
  length_ = 0;
  line_ = next_line_;
  int c = take();
  if (c == kEnd) return false;
  bool fresh = true;  // at the start of a field
  bool closed = false;
  for (; c != '\n' && c != kEnd; c = take()) {
    const bool was_fresh = std::exchange(fresh, c == dialect_.separator);
    if (fresh) {
      end_field();
      closed = false;
    } else if (closed) {
      complain("found text after a closing quote; expected a separator");
    } else if (c == '"' && was_fresh && dialect_.quotes) {
      read_quoted();
      closed = true;
    } else {
      add(c);
    }
  }
  end_field();
  return true;
}

}  // namespace polyhead::data
