#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "polyhead/config/load.hpp"

namespace polyhead::config {

/// State of reading a document: the current key and the findings so far.
class Context {
 public:
  /// `base`: folder of the file, absolute. `paths`: how the file's paths are written.
  Context(std::filesystem::path base, Paths paths, std::vector<Issue>& issues, Locations& where);

  /// Adds an issue about the current key.
  void fail(const Location& where, const std::string& text);
  /// Issues so far.
  [[nodiscard]] std::size_t failures() const { return issues_.size(); }
  /// Remembers where the current key's value stands.
  void record(const Location& where) { where_[key_] = where; }

  /// "heads[2].weights"
  [[nodiscard]] const std::string& key() const { return key_; }
  /// The full key of `name` in the current section.
  [[nodiscard]] std::string key_of(const std::string& name) const {
    return key_.empty() ? name : key_ + "." + name;
  }
  /// Folder to which relative paths written at `where` are relative.
  [[nodiscard]] const std::filesystem::path& folder(const Location& where) const;
  /// Whether ~ and variables in paths written at `where` are expanded: on the command line always.
  [[nodiscard]] bool expands(const Location& where) const {
    return where.line == 0 || paths_ == Paths::expanded;
  }

  /// The current key while an option or item is read.
  class Scope {
   public:
    Scope(Context& context, const std::string& name);
    Scope(Context& context, std::size_t index);
    ~Scope() { context_.key_.resize(length_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Context& context_;
    std::size_t length_;
  };

 private:
  std::filesystem::path base_;
  Paths paths_;
  std::filesystem::path working_directory_;
  std::vector<Issue>& issues_;
  Locations& where_;
  std::string key_;
};

}  // namespace polyhead::config
