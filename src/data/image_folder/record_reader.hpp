#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace polyhead::data {

/// How a table in a text file is written.
struct Dialect {
  char separator = ',';  ///< '\n': one field a line
  bool quotes = false;   ///< RFC 4180: a field in double quotes may hold separators, line ends and ""
  bool cr = false;       ///< a lone CR ends a line, too
};

/// Reads a table in a text file, a record at a time. Takes CRLF, a UTF-8 byte order mark and a last line
/// without an end.
class RecordReader {
 public:
  RecordReader(std::istream& in, Dialect dialect);

  /// False at the end.
  bool next();
  [[nodiscard]] const std::vector<std::string>& fields() const { return fields_; }
  /// Where the record starts; from 1.
  [[nodiscard]] std::int64_t line() const { return line_; }
  /// What is wrong with the record; empty if nothing is. The next one is read all the same.
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  int take();
  void end_field();
  void read_quoted();
  void add(int c);
  void complain(const char* problem);

  std::istream& in_;
  Dialect dialect_;
  std::vector<std::string> fields_;
  std::string field_;
  std::string problem_;
  std::int64_t line_ = 0;
  std::int64_t next_line_ = 1;
  std::size_t length_ = 0;  ///< of the record so far
};

}  // namespace polyhead::data
