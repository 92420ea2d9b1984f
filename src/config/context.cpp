#include "context.hpp"

#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace polyhead::config {
namespace {

std::filesystem::path working_directory() {
  std::error_code ignored;  // a missing folder matters only to options that use it
  return std::filesystem::current_path(ignored);
}

}  // namespace

Context::Context(std::filesystem::path base, Paths paths, std::vector<Issue>& issues, Locations& where)
    : base_(std::move(base)),
      paths_(paths),
      working_directory_(working_directory()),
      issues_(issues),
      where_(where) {}

void Context::fail(const Location& where, const std::string& text) {
  issues_.push_back({where, key_.empty() ? text : key_ + ": " + text});
}

const std::filesystem::path& Context::folder(const Location& where) const {
  return where.line == 0 ? working_directory_ : base_;
}

Context::Scope::Scope(Context& context, const std::string& name)
    : context_(context), length_(context.key_.size()) {
  context.key_ = context.key_of(name);
}

Context::Scope::Scope(Context& context, std::size_t index) : context_(context), length_(context.key_.size()) {
  context.key_ += fmt::format("[{}]", index);
}

}  // namespace polyhead::config
