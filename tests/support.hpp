#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "polyhead/base/error.hpp"

namespace polyhead::testing {

/// A fresh folder, removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "polyhead-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  /// Writes a file and returns its path.
  [[nodiscard]] std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
    return path_ / name;
  }

 private:
  std::filesystem::path path_;
};

/// Code and message of the Error that `call` throws.
template <class Call>
std::pair<ExitCode, std::string> error_of(Call call) {
  try {
    static_cast<void>(call());
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  ADD_FAILURE() << "no error";
  return {};
}

/// A variable's value, or what stands for it: test programs may run elsewhere than where they were built
/// (launch/bundle.sh).
inline std::string variable_or(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

/// The exit status of a script of the tests' folder, run by the interpreter of the .venv.
inline int run_python(const std::string& script, const std::string& arguments) {
  const std::string python = variable_or("POLYHEAD_PYTHON", POLYHEAD_PYTHON);
  const std::string folder = variable_or("POLYHEAD_TEST_DIR", POLYHEAD_TEST_DIR);
  const int status = std::system(fmt::format("'{}' '{}/{}' {}", python, folder, script, arguments).c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace polyhead::testing
