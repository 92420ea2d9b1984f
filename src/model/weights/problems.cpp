#include "problems.hpp"

#include <fmt/format.h>

#include "polyhead/base/text.hpp"

namespace polyhead::model {
namespace {

constexpr std::size_t kMaxLines = 100;

}  // namespace

void Problems::add(ExitCode code, std::string line) {
  code_ = count_ == 0 || code == code_ ? code : ExitCode::bad_data;
  if (++count_ <= kMaxLines) lines_.push_back(std::move(line));
}

void Problems::throw_if_any() const {
  if (!any()) return;
  std::string text = join(lines_, "\n");
  if (count_ > kMaxLines) text += fmt::format("\nand {} more", count_ - kMaxLines);
  throw Error(code_, text);
}

}  // namespace polyhead::model
