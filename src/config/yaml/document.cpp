#include "document.hpp"

#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "syntax.hpp"

namespace polyhead::config {
namespace {

constexpr const char* kNoAliases =
    "anchors (&) and aliases (*) are not supported; put a text that begins with & or * in quotes, \"*.pth\"";

Location location(const Source& source, const YAML::Mark& mark) {
  return mark.is_null() ? source.at(1, 1) : source.at(mark.line + 1, mark.column + 1);
}

[[noreturn]] void refuse_syntax(const std::string& text, const Source& source, const SyntaxFault& fault) {
  const std::string shown_line = source.has_lines ? excerpt(text, fault.line, fault.column) : "";
  refuse(source.at(fault.line, fault.column), fmt::format("malformed YAML: {}{}", fault.text, shown_line));
}

/// Builds nodes from yaml-cpp's events. (Its own YAML::Node silently merges duplicate keys.)
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& text, const Source& source, std::vector<Issue>& issues)
      : text_(text), source_(source), issues_(issues) {}

  /// Returns the document. Errors about keys are reported only now: yaml-cpp makes a key of a list or map
  /// that never ends, and finds out later.
  Node take() {
    if (bad_key_) refuse(bad_key_->where, bad_key_->text);
    return std::move(root_);
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_)
      refuse(location(source_, mark), "the YAML document ends before this; a file holds one document");
    started_ = true;
  }
  void OnDocumentEnd() override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    refuse(location(source_, mark), kNoAliases);
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    leaf(Node::Kind::null, mark, "?", anchor, {});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (tag == "!") check_closed(mark);
    leaf(Node::Kind::scalar, mark, tag, anchor, value);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(Node::Kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(Node::Kind::map, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  /// A sequence or map that is not complete yet.
  struct Open {
    Node node;
    std::unordered_map<std::string, Location> keys;
    Entry entry;
    bool has_key = false;
  };

  /// yaml-cpp's tags: "?" for a plain value, "!" for one in quotes.
  Node make(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    Node node;
    node.kind = kind;
    node.where = location(source_, mark);
    node.quoted = tag == "!";
    if (anchor != 0) refuse(node.where, kNoAliases);
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(node.where, "YAML tags such as " + shown(tag) + " are not supported");
    if (++count_ > kMaxDocumentNodes) {
      refuse(node.where, fmt::format("the document has more than {} values", kMaxDocumentNodes));
    }
    return node;
  }

  /// Refuses a quote without its end: yaml-cpp takes it for a text up to the end of the file.
  void check_closed(const YAML::Mark& mark) {
    const std::size_t offset = offset_of(text_, mark.line + 1, mark.column + 1);
    const bool is_quote = offset < text_.size() && (text_[offset] == '"' || text_[offset] == '\'');
    if (!is_quote || is_closed_quote(text_, offset)) return;
    refuse_syntax(text_, source_, {mark.line + 1, mark.column + 1, "this quote is not closed"});
  }

  void leaf(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            const std::string& text) {
    Node node = make(kind, mark, tag, anchor);
    node.text = text;
    add(std::move(node));
  }

  void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    Node node = make(kind, mark, tag, anchor);
    if (open_.size() == kMaxDocumentDepth) {
      refuse(node.where, fmt::format("the document is nested more than {} levels deep", kMaxDocumentDepth));
    }
    open_.emplace_back().node = std::move(node);
  }

  void close() {
    Node node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }

  [[nodiscard]] bool wants_key() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::map && !open_.back().has_key;
  }

  void add(Node node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (open_.back().node.kind == Node::Kind::sequence) {
      open_.back().node.items.push_back(std::move(node));
    } else if (wants_key()) {
      add_key(std::move(node));
    } else {
      add_value(std::move(node));
    }
  }

  void add_key(Node node) {
    if (node.kind != Node::Kind::scalar && !bad_key_) {
      bad_key_ = Issue{node.where, "expected a word as the key, found " + shown(node)};
    }
    Open& map = open_.back();
    map.has_key = true;
    map.entry.key = std::move(node.text);
    map.entry.where = std::move(node.where);
  }

  void add_value(Node node) {
    Open& map = open_.back();
    map.has_key = false;
    const auto [first, is_new] = map.keys.emplace(map.entry.key, map.entry.where);
    if (!is_new) {
      issues_.push_back({map.entry.where, fmt::format("the key {} is already given at {}",
                                                      shown(map.entry.key), first->second.str())});
      return;
    }
    map.entry.value = std::move(node);
    map.node.entries.push_back(std::move(map.entry));
  }

  const std::string& text_;
  const Source& source_;
  std::vector<Issue>& issues_;
  std::vector<Open> open_;
  Node root_;
  std::optional<Issue> bad_key_;
  std::size_t count_ = 0;
  bool started_ = false;
};

/// Throws ConfigError for a text that the parser does not understand at a place.
[[noreturn]] void refuse_message(const std::string& text, const Source& source,
                                 const YAML::Exception& error) {
  const bool about_alias =
      error.msg.find("anchor") != std::string::npos || error.msg.find("alias") != std::string::npos;
  const int line = error.mark.is_null() ? 1 : error.mark.line + 1;
  const int column = error.mark.is_null() ? 1 : error.mark.column + 1;
  if (about_alias) refuse_syntax(text, source, {line, column, fmt::format("{}: {}", error.msg, kNoAliases)});
  SyntaxFault fault = guess_syntax_fault(text, line, column, error.msg);
  fault.text = fault.text.empty() ? error.msg : fmt::format("{} ({})", fault.text, error.msg);
  refuse_syntax(text, source, fault);
}

}  // namespace

Node parse_document(const std::string& text, const Source& source, std::vector<Issue>& issues) {
  check_text(text, source);
  std::istringstream stream(text);
  Builder builder(text, source, issues);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {  // the builder throws at the second document
    }
  } catch (const YAML::Exception& error) {
    refuse_message(text, source, error);
  }
  return builder.take();
}

}  // namespace polyhead::config
