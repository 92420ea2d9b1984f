#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

namespace polyhead::data {

/// Dialect of a table in a text file.
struct Dialect {
  char separator = ',';  ///< '\n': one field per line
  bool quotes = false;   ///< RFC 4180: a field in double quotes may hold separators, line ends and ""
  bool cr = false;       ///< a lone CR also ends a line
};

/// Reads a table in a text file, one record at a time. Accepts CRLF, a UTF-8 byte order mark and a last line
/// without an end.
class RecordReader {
 public:
  RecordReader(std::istream& in, Dialect dialect);

  /// Reads the next record; false at the end.
  bool next();
  [[nodiscard]] const std::vector<std::string>& fields() const { return fields_; }
  /// First line of the record, from 1.
  [[nodiscard]] std::int64_t line() const { return line_; }
  /// Problem with the record; empty if there is none. The next record is read all the same.
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
  std::size_t length_ = 0;  ///< bytes of the record so far
};

}  // namespace polyhead::data
