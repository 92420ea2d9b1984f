#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "polyhead/config/load.hpp"

namespace polyhead::config {

/// A configuration of few words that is right; its paths need not exist.
inline const std::string kSmall =
    "data: {path: d.h5}\n"
    "backbone: {weights: b.pth}\n"
    "heads:\n"
    "  - {name: a, weights: a.pth, layers: [linear 10]}\n"
    "output: {path: o.h5}\n";

inline Loaded parse_small(const std::vector<std::string>& overrides = {}) {
  return parse(kSmall, "e.yaml", "/base", overrides);
}

/// `kSmall` with `line` instead of the line that starts with the same word, or after the last.
inline std::string small_with(const std::string& line) {
  const std::string key = line.substr(0, line.find(':') + 1);
  const std::size_t begin = kSmall.find("\n" + key) == std::string::npos ? 0 : kSmall.find("\n" + key) + 1;
  if (kSmall.compare(begin, key.size(), key) != 0) return kSmall + line + "\n";
  const std::size_t end = key == "heads:" ? kSmall.find("output:") : kSmall.find('\n', begin) + 1;
  return kSmall.substr(0, begin) + line + "\n" + kSmall.substr(end);
}

/// The message and code of the error that `action` throws.
struct Thrown {
  std::string message;
  ExitCode code = ExitCode::ok;
};

template <class Action>
Thrown thrown_by(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.what(), error.code()};
  }
  return {"nothing was thrown", ExitCode::ok};
}

/// What is wrong with a text.
inline Thrown error_of(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  return thrown_by([&] { parse(yaml, "e.yaml", "/base", overrides); });
}

/// A fresh folder that is gone after the test.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "polyhead_config_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, const std::string& text = "x") const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace polyhead::config
